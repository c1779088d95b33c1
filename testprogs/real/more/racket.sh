# needs: racket
racket -n -e '(define c (make-channel)) (for ([i 5]) (thread (lambda () (channel-put c (* i i))))) (displayln (sort (for/list ([i 5]) (channel-get c)) <)) (displayln (apply + (for/list ([f (for/list ([i 4]) (future (lambda () (for/fold ([s 0]) ([k 100000]) (+ s k)))))]) (touch f))))' 2>&1
echo $?
racket -e '(define p (dynamic-place* (quote x) (quote y)))' >/dev/null 2>&1
echo $?
