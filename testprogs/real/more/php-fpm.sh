# needs: php-fpm8.2 python3
mkdir www; echo '<?php $a = []; for ($i = 0; $i < 1000; $i++) $a[] = str_repeat("x", $i); echo count($a), " ", $_SERVER["QUERY_STRING"];' > www/a.php
printf '[global]\ndaemonize = no\nerror_log = %s/err\n[www]\nuser = root\ngroup = root\nlisten = %s/sock\npm = static\npm.children = 3\npm.max_requests = 40\n' "$PWD" "$PWD" > f.conf
php-fpm8.2 -R -n -F -y f.conf >/dev/null 2>&1 &
p=$!
for i in $(seq 50); do [ -S sock ] && break; sleep 0.1; done
python3 "$(dirname "$0")/../lib/fcgi_requests.py" sock www/a.php 200 | sort | uniq -c
kill -QUIT $p
wait $p
echo $?
