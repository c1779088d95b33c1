# needs: gimp
gimp -i -d -f -s --batch-interpreter plug-in-script-fu-eval -b '(let* ((i (car (gimp-image-new 200 200 RGB))) (l (car (gimp-layer-new i 200 200 RGB-IMAGE "l" 100 NORMAL-MODE)))) (gimp-image-insert-layer i l 0 0) (plug-in-plasma RUN-NONINTERACTIVE i l 7 2.0) (plug-in-gauss RUN-NONINTERACTIVE i l 8 8 0) (gimp-image-scale i 100 100) (file-png-save RUN-NONINTERACTIVE i l "o.png" "o.png" 0 9 0 0 0 0 0))' -b '(gimp-quit 0)' >/dev/null 2>&1
echo $?
file o.png
