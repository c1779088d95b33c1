# needs: meson ninja ccache bison flex swig doxygen gcc
export CCACHE_DIR=$PWD/cc
printf "project('x', 'c')\nexecutable('x', 'a.c', 'b.c')\n" > meson.build
printf 'int f(void);\nint main(void) { return f(); }\n' > a.c
printf 'int f(void) { return 7; }\n' > b.c
meson setup -Dbuildtype=plain b >/dev/null 2>&1; echo $?
ninja -C b -j3 >/dev/null; echo $?
./b/x; echo $?
ccache gcc -c a.c; ccache gcc -c a.c; ccache -s | grep -c Hits
printf '%%token N\n%%%%\ns: N | s N;\n%%%%\n' > p.y
bison -d p.y; echo $?
printf '%%%%\n[0-9]+ return 1;\n%%%%\n' > l.l
flex l.l; echo $?
printf '%%module m\nint f(void);\n' > m.i
swig -python m.i; echo $?
printf 'QUIET=YES\nINPUT=b.c\nEXTRACT_ALL=YES\nGENERATE_LATEX=NO\nNUM_PROC_THREADS=3\n' > Doxyfile
doxygen Doxyfile >/dev/null 2>&1; echo $?
ls html | wc -l
