# needs: pdftoppm pdftotext mutool qpdf tesseract gs
printf '%%!\n/Helvetica findfont 40 scalefont setfont 50 500 moveto (Hello world) show showpage\n' | gs -q -dNOPAUSE -dBATCH -sDEVICE=pdfwrite -sOutputFile=a.pdf -
pdftotext a.pdf -; echo $?
pdftoppm -r 100 -png a.pdf p; echo $?
mutool draw -o m.png -r 100 a.pdf 2>/dev/null; echo $?
qpdf --linearize a.pdf l.pdf; echo $?
qpdf --check l.pdf >/dev/null; echo $?
tesseract p-1.png - 2>/dev/null; echo $?
