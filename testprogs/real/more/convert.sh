# needs: convert
convert -size 400x400 plasma:fractal -seed 1 -resize 50% -blur 0x3 -format "%w %h" info:
