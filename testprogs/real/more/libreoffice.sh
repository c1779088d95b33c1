# needs: soffice
printf 'a,b\n1,2\n' > a.csv
timeout 100 soffice --headless -env:UserInstallation=file://$PWD/prof --convert-to txt:Text a.csv >/dev/null 2>&1
ls *.txt 2>/dev/null | head -1
echo '<p>hi</p>' > b.html
timeout 100 soffice --headless -env:UserInstallation=file://$PWD/prof --convert-to pdf b.html 2>/dev/null >/dev/null
ls *.pdf
