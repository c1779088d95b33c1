# needs: weechat-headless openscad lilypond
printf 'difference(){cube(10); sphere(6, $fn=24);}' > a.scad
openscad -o a.stl a.scad 2>/dev/null; echo $?
printf '\\version "2.22.0" { c4 d e f }' > a.ly
lilypond -s a.ly; echo $?
weechat-headless -t -r '/print hi' -r '/quit' >/dev/null 2>&1; echo $?
