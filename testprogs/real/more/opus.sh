# needs: opusenc opusdec sox
sox -n -r 48000 -c 2 a.wav synth 3 sine 440 2>/dev/null
opusenc --quiet --serial 1 a.wav a.opus; echo $?
opusdec --quiet a.opus b.wav; echo $?
ls -l b.wav | cut -d' ' -f5
