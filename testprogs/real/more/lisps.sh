# needs: clisp chezscheme poly gprolog
clisp -norc -q -x '(let ((a nil)) (dotimes (i 20000) (push (list i (format nil "~a" i)) a)) (print (length a)))' | tail -1; echo $?
echo '(let loop ((i 0) (a (quote ()))) (if (< i 200000) (loop (+ i 1) (cons i a)) (begin (collect) (display (length a)) (newline))))' > a.ss; chezscheme --script a.ss; echo $?
echo 'fun f 0 = [] | f n = n :: f (n - 1); val () = print (Int.toString (length (f 100000)) ^ "\n"); val t = Thread.Thread.fork (fn () => print "thread\n", []); OS.Process.sleep (Time.fromMilliseconds 300);' | poly -q 2>/dev/null | grep -E "100000|thread$"; echo $?
gprolog --query-goal 'length(L,10000),length(L,N),write(N),nl,halt' 2>/dev/null | tail -1
