# needs: stress-ng
stress-ng --quiet --timeout 3 --mutex 2 --sem 2 --futex 2 --malloc 2 --fork 2 --pthread 2 --mq 1 --timer 1 --aio 1 --sigq 1
echo $?
