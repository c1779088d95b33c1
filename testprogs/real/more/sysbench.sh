# needs: sysbench
sysbench --threads=4 --events=2000 --time=0 threads run | grep "number of events"
sysbench --threads=4 --time=2 mutex run | grep "total number"
sysbench memory --threads=4 --memory-total-size=1G run | grep -c transferred
