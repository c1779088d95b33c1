# needs: tarantool
cat > a.lua <<'EOF'
box.cfg{log_level = 0, listen = '127.0.0.1:18301', memtx_memory = 33554432}
local s = box.schema.space.create('t')
s:create_index('p', {parts = {1, 'unsigned'}})
local fiber = require('fiber')
local done = fiber.channel(10)
for n = 1, 10 do fiber.create(function() for i = 1, 200 do s:replace{n * 1000 + i, 'x'} if i % 50 == 0 then fiber.sleep(0) end end done:put(true) end) end
for n = 1, 10 do done:get() end
print(s:count())
box.snapshot()
local c = require('net.box').connect('127.0.0.1:18301')
print(c:ping())
os.exit(0)
EOF
tarantool a.lua 2>/dev/null
echo $?
