# needs: fio
fio --name=a --directory=. --rw=randrw --size=2m --numjobs=4 --thread --ioengine=psync --loops=2 --minimal >/dev/null 2>&1; echo $?
fio --name=b --directory=. --rw=randrw --size=2m --numjobs=2 --ioengine=posixaio --iodepth=8 --verify=crc32c --minimal >/dev/null 2>&1; echo $?
fio --name=c --directory=. --rw=write --size=1m --numjobs=2 --ioengine=libaio --iodepth=4 --minimal >/dev/null 2>&1; echo $?
