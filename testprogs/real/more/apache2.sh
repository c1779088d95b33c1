# needs: apache2 ab
mkdir -p a/www
echo hi > a/www/x
printf 'ServerRoot %s\nListen 127.0.0.1:18113\nPidFile %s/pid\nErrorLog %s/err\nServerName x\nDocumentRoot %s/a/www\nLoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so\nLoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so\nUser www-data\nGroup www-data\nStartServers 2\n' $PWD $PWD $PWD $PWD > a.cfg
chmod 755 . a a/www
apache2 -f $PWD/a.cfg -DFOREGROUND &
p=$!
sleep 1
ab -q -n 3000 -c 10 http://127.0.0.1:18113/x | grep -E "Complete|Failed"
sleep 3
kill $p
wait $p
echo $?
