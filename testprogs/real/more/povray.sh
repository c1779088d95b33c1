# needs: povray
printf 'camera { location <0,1,-3> look_at 0 } light_source { <2,4,-3> rgb 1 } sphere { 0, 1 pigment { rgb <1,0,0> } finish { phong 1 } }\n' > a.pov
povray -D -GA +WT3 +W160 +H120 +Ia.pov +Oa.ppm +FP >/dev/null 2>&1; echo $?
tail -c 57600 a.ppm | md5sum # without the date in front
