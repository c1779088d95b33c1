# needs: cmake ninja
mkdir -p p
printf 'cmake_minimum_required(VERSION 3.10)\nproject(x C)\nadd_executable(x x.c)\n' > p/CMakeLists.txt
echo 'int main(){return 0;}' > p/x.c
cmake -S p -B p/b -G Ninja > /dev/null && ninja -C p/b >/dev/null && p/b/x
echo $?
