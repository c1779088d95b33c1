# needs: mkvmerge mkvinfo mpv HandBrakeCLI ffmpeg
ffmpeg -loglevel error -f lavfi -i testsrc=d=1:s=64x64:r=10 -f lavfi -i sine=d=1 -c:v mpeg4 -c:a aac -bitexact -y a.mp4 </dev/null
echo $?
mkvmerge -q --deterministic x -o a.mkv a.mp4; echo $?
mkvinfo a.mkv | grep -c Track
mpv --no-config --really-quiet --vo=null --ao=null --untimed a.mkv; echo $?
HandBrakeCLI -i a.mp4 -o h.mp4 -e x264 -q 30 >/dev/null 2>&1; echo $?
