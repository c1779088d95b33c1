# needs: pulseaudio
export HOME=$PWD XDG_RUNTIME_DIR=$PWD
pulseaudio -n --daemonize=no --exit-idle-time=1 --use-pid-file=no --disable-shm=yes -L module-null-sink -L module-sine >/dev/null 2>&1 &
p=$!
sleep 3
kill $p; wait $p; echo $?
