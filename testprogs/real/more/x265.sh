# needs: x265
head -c $((320*240*3/2*20)) /dev/zero | tr '\0' '\200' > a.yuv
x265 --input a.yuv --input-res 320x240 --fps 25 --pools 2 --frame-threads 2 -o a.hevc 2>/dev/null
echo $?
md5sum < a.hevc
