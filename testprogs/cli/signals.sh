# shellcheck shell=bash disable=SC2154,SC2016
# Signals, terminals and descriptors: the program gets what it would have got without the command.

# dispositions COMMAND...: what the kernel says of a program's signals
dispositions() {
	"$@" grep -E '^Sig(Ign|Blk)' /proc/self/status
}
holds 'the program has the signal mask and dispositions of the command' \
	test "$(dispositions "$wh" run)" = "$(dispositions)"
holds 'an ignored signal stays ignored' \
	test "$(trap '' INT CHLD PIPE && dispositions "$wh" run)" = "$(trap '' INT CHLD PIPE && dispositions)"
holds 'a status is known where the command was started with SIGCHLD ignored' \
	sh -c 'trap "" CHLD; "$0" run sh -c "exit 3"; test $? = 3' "$wh"

for signal in HUP:129 INT:130 QUIT:131 USR1:138; do
	# Or the last one's word would be taken for this one's.
	rm -f "$place/out"
	# A shell starts its background jobs with INT and QUIT ignored.
	env --default-signal=INT,QUIT "$wh" run bash -c 'ulimit -c 0; echo up; exec sleep 600' >"$place/out" 2>"$place/err" &
	run=$!
	soon grep -q up "$place/out"
	kill "-${signal%:*}" $run
	wait $run
	status=$?
	holds "SIG${signal%:*} is passed on" test $status = "${signal#*:}"
done

# descriptors COMMAND...: which are open, in a program whose standard input is closed
holds 'a closed standard input stays closed' \
	test "$("$wh" run sh -c 'test -e /proc/self/fd/0 || echo closed' <&-)" = closed
holds 'no descriptor of the command leaks into the program' \
	test "$("$wh" run sh -c 'ls /proc/self/fd | wc -l')" = "$(sh -c 'ls /proc/self/fd | wc -l')"
holds 'the limit on descriptors is the program'"'"'s own' \
	test "$("$wh" run sh -c 'ulimit -n')" = "$(sh -c 'ulimit -n')"

# In a terminal, ^C goes to the whole group: the program gets it once. ^Z stops both, and fg continues them.
cat >"$place/terminal.py" <<'P'
import os, pty, re, select, sys, time
whoholds, what = sys.argv[1:3]

def spawn(*argv):
    pid, fd = pty.fork()
    if pid == 0:
        os.execvp(argv[0], argv)
    return pid, fd

def read_until(fd, pattern, seconds=60):
    out, end = b"", time.time() + seconds
    while time.time() < end and not re.search(pattern, out):
        if select.select([fd], [], [], 0.1)[0]:
            try:
                out += os.read(fd, 4096)
            except OSError:
                break
    return out

if what == "interrupt":
    script = "n=0; trap 'n=$((n+1))' INT; echo rea''dy; while [ $n = 0 ]; do sleep 0.1; done; sleep 0.5; echo to''tal $n"
    pid, fd = spawn(whoholds, "run", "bash", "-c", script)
    read_until(fd, rb"ready")
    os.write(fd, b"\x03")
    out = read_until(fd, rb"total \d+")
    os.waitpid(pid, 0)
    sys.exit(0 if b"total 1" in out else 1)
if what == "stop":
    os.environ["PS1"], flag = "prompt ", sys.argv[3]
    pid, fd = spawn("bash", "--norc", "-i")
    read_until(fd, rb"prompt ")
    os.write(fd, f"{whoholds} run sh -c 'echo st''art; until [ -e {flag} ]; do sleep 0.05; done; echo e''nd; exit 7'\n".encode())
    read_until(fd, rb"start\r\n")
    os.write(fd, b"\x1a")
    stopped = re.search(rb"Stopped", read_until(fd, rb"Stopped"))
    open(flag, "w").close()
    early = re.search(rb"end\r\n", read_until(fd, rb"end\r\n", 0.5))
    os.write(fd, b"fg\n")
    ended = re.search(rb"end\r\n", read_until(fd, rb"end\r\n"))
    os.write(fd, b"echo sta''tus $?\n")
    status = re.search(rb"status 7", read_until(fd, rb"status \d+"))
    os.write(fd, b"exit\n")
    sys.exit(0 if stopped and not early and ended and status else 1)
P
holds '^C reaches the program once' timeout 200 python3 "$place/terminal.py" "$wh" interrupt
holds '^Z stops, fg continues, the status comes through' timeout 300 python3 "$place/terminal.py" "$wh" stop "$place/flag"
