# needs: make
printf 'all: a b c d\n%%:\n\t@echo $@ > $@.o; sleep 0.05\n' > Makefile
make -s -j4
ls *.o
