# needs: bwrap
bwrap --ro-bind / / --dev /dev --unshare-pid --unshare-net --tmpfs /tmp -- sh -c 'echo in; ls /tmp | wc -l; echo x | sort'
echo $?
bwrap --ro-bind /usr /usr --symlink usr/lib /lib --symlink usr/lib64 /lib64 --symlink usr/bin /bin -- sh -c 'echo bare | sort; ls /'
echo $?
