# needs: gdb
gdb -q -batch -ex 'break main' -ex run -ex bt /bin/true 2>&1 | tail -2 | cut -c1-20
