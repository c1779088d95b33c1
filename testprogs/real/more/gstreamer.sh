# needs: gst-launch-1.0
export XDG_CACHE_HOME=$PWD
gst-launch-1.0 -q videotestsrc num-buffers=60 ! video/x-raw,width=320,height=240 ! queue ! videoconvert ! queue ! tee name=t t. ! queue ! fakesink t. ! queue ! filesink location=out.yuv
echo $?
md5sum < out.yuv
gst-launch-1.0 -q audiotestsrc num-buffers=100 ! queue ! audioconvert ! audioresample ! queue ! fakesink
echo $?
