# needs: qemu-x86_64
echo 'hello' | qemu-x86_64 /bin/cat
echo $?
