# needs: fakeroot faketime eatmydata proot
fakeroot sh -c 'touch a; chown 1000:1000 a; stat -c "%u %g" a; tar cf a.tar a; tar tvf a.tar | cut -c1-20'
echo $?
faketime '2001-02-03 04:05:06' date +%F
faketime '2001-02-03 04:05:06' perl -e 'print scalar(gmtime(time)), "\n"' | cut -d' ' -f1-3
echo $?
eatmydata sh -c 'echo x > b; sync b; cat b'
echo $?
proot -r / -w / sh -c 'echo in; id -u'
echo $?
