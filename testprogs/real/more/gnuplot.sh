# needs: gnuplot
gnuplot -e 'set term dumb; plot sin(x)'
