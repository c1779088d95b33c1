# needs: valgrind cc
echo '#include <stdlib.h>
int main(){ char *p = malloc(10); p[0] = 1; free(p); return 3; }' > a.c; cc -g a.c -o a
valgrind -q --error-exitcode=9 ./a; echo $?
