# needs: emacs
emacs --batch --eval '(progn (dotimes (i 10000) (puthash i (make-string 20 ?a) (make-hash-table))) (message "%d" (length (buffer-list))) (princ (format-time-string "%Y" 0)))' 2>&1
