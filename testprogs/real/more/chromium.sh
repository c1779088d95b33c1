# needs: chromium
echo '<html><body><script>document.write(6*7)</script></body></html>' > a.html
timeout 60 chromium --headless --no-sandbox --disable-gpu --user-data-dir=$PWD/u --dump-dom file://$PWD/a.html 2>/dev/null
