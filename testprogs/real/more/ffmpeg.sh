# needs: ffmpeg
ffmpeg -loglevel error -f lavfi -i testsrc=duration=2:size=320x240:rate=25 -threads 4 -c:v mpeg4 -y a.avi && ffmpeg -loglevel error -threads 3 -i a.avi -f framemd5 - | tail -3
