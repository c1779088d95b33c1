# needs: inkscape
printf '<svg xmlns="http://www.w3.org/2000/svg" width="80" height="80"><defs><filter id="f"><feGaussianBlur stdDeviation="3"/></filter></defs><g filter="url(#f)"><circle cx="40" cy="40" r="30" fill="red"/><text x="20" y="40">hi</text></g></svg>' > a.svg
inkscape a.svg --export-type=png -o a.png >/dev/null 2>&1
echo $?
file a.png
inkscape a.svg --export-type=pdf -o a.pdf >/dev/null 2>&1
echo $?
inkscape --query-all a.svg 2>/dev/null | wc -l
