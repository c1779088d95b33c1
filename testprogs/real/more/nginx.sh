# needs: nginx ab
mkdir -p l
printf 'worker_processes 2;\npid %s/pid;\nerror_log %s/err;\nevents{worker_connections 64;}\nhttp{access_log off; client_body_temp_path l; proxy_temp_path l; fastcgi_temp_path l; uwsgi_temp_path l; scgi_temp_path l; server{listen 127.0.0.1:18123; location /{return 200 hi;}}}\n' $PWD $PWD > n.cfg
chmod 777 . l
nginx -c $PWD/n.cfg -g 'daemon off;' &
p=$!
sleep 1
ab -q -n 3000 -c 10 http://127.0.0.1:18123/ | grep -E "Complete|Failed"
nginx -c $PWD/n.cfg -s reload
sleep 2
ab -q -n 3000 -c 10 http://127.0.0.1:18123/ | grep -E "Complete|Failed"
nginx -c $PWD/n.cfg -s quit
wait $p
echo $?
