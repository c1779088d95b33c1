# needs: guile
guile -c '(use-modules (ice-9 futures)) (display (apply + (map (lambda (i) (touch (make-future (lambda () (* i i))))) (iota 1000)))) (newline)'
