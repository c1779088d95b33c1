# needs: fpc
cat > a.pas <<EOF
program a; {\$mode objfpc} uses cthreads, classes, sysutils;
type t = class(TThread) procedure Execute; override; end;
var n: longint = 0; c: TRTLCriticalSection;
procedure t.Execute; var i: integer; s: string; begin for i := 1 to 10000 do begin s := IntToStr(i); EnterCriticalSection(c); inc(n, length(s)); LeaveCriticalSection(c) end end;
var l: array[0..3] of t; i: integer;
begin InitCriticalSection(c); for i := 0 to 3 do l[i] := t.Create(false); for i := 0 to 3 do begin l[i].WaitFor; l[i].Free end; DoneCriticalSection(c); writeln(n) end.
EOF
fpc -l- -v0 a.pas >/dev/null 2>&1; echo $?
./a; echo $?
