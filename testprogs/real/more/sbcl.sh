# needs: sbcl
sbcl --noinform --non-interactive --eval '(progn (defun f (n) (if (< n 2) n (+ (f (- n 1)) (f (- n 2))))) (print (f 25)) (gc :full t) (let ((ts (loop for i below 4 collect (let ((k i)) (sb-thread:make-thread (lambda () (* k k))))))) (print (reduce (function +) (mapcar (function sb-thread:join-thread) ts)))))'
