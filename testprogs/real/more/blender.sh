# needs: blender
cat > s.py <<'EOF'
import bpy
bpy.ops.mesh.primitive_uv_sphere_add(segments=64, ring_count=32)
bpy.ops.object.modifier_add(type='SUBSURF')
bpy.context.object.modifiers[0].levels = 2
bpy.ops.object.modifier_apply(modifier=bpy.context.object.modifiers[0].name)
print('vertices', len(bpy.context.object.data.vertices))
bpy.ops.wm.save_as_mainfile(filepath='a.blend')
EOF
blender -b --factory-startup -t 3 -P s.py 2>&1 | grep vertices
echo "${PIPESTATUS[0]}"
blender -b a.blend --factory-startup -E CYCLES -t 2 --python-expr 'import bpy
s = bpy.context.scene
s.cycles.samples = 2
s.render.resolution_x = s.render.resolution_y = 64
s.render.filepath = "/dev/shm/blender-test.png"' -f 1 >/dev/null 2>&1
echo $?
rm -f /dev/shm/blender-test*
