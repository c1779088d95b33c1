# needs: go
export GOCACHE=$PWD/cache GOPATH=$PWD/path GOFLAGS=-mod=mod GOTOOLCHAIN=local
cat > a.go <<EOF
package main
import ("fmt"; "sync")
func main() {
	var w sync.WaitGroup
	var m sync.Mutex
	n := 0
	for i := 0; i < 50; i++ { w.Add(1); go func() { defer w.Done(); for j := 0; j < 1000; j++ { m.Lock(); n++; m.Unlock() } }() }
	w.Wait()
	fmt.Println(n)
}
EOF
cat > c.go <<EOF
package main
/*
#include <stdlib.h>
#include <string.h>
static char *twice(const char *s) { char *r = malloc(2 * strlen(s) + 1); strcpy(r, s); strcat(r, s); return r; }
*/
import "C"
import ("fmt"; "sync"; "unsafe")
func main() {
	var w sync.WaitGroup
	for i := 0; i < 20; i++ { w.Add(1); go func() { defer w.Done(); for j := 0; j < 1000; j++ { s := C.CString("ab"); t := C.twice(s); _ = C.GoString(t); C.free(unsafe.Pointer(t)); C.free(unsafe.Pointer(s)) } }() }
	w.Wait()
	fmt.Println("cgo done")
}
EOF
go build -o a a.go && ./a
echo $?
go build -o c c.go && ./c
echo $?
