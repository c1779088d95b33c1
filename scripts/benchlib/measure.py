"""Running programs and counting what they cost; numbers out of many runs."""
import collections
import ctypes
import os
import random
import signal
import statistics
import threading
import time

Run = collections.namedtuple('Run', 'status wall_s cpu_s after_s output')
Run.__doc__ = """One program's run. status: exit status, or minus the signal that ended it. wall_s: until it ended. cpu_s: user
and system time of it and of all the children it waited for. after_s: the same of processes that it left behind (a report that is
written once the program has gone). output: what it printed on standard output."""


class Failed(Exception):
    """A run that says nothing about costs, with the reason."""


def adopt_orphans():
    """From now on processes left behind by those started here become ours, so that their time is seen too."""
    PR_SET_CHILD_SUBREAPER = 36
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def cpu_seconds(usage):
    return usage.ru_utime + usage.ru_stime


def start(argv, env, stdin='/dev/null', stdout='/dev/null', stderr='/dev/null'):
    """Starts a program in a process group of its own and returns its pid. Files are names; what is written is new each time."""
    def opened(fd, name, flags):
        return (os.POSIX_SPAWN_OPEN, fd, name, flags, 0o600)
    written = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    actions = [opened(0, stdin, os.O_RDONLY), opened(1, stdout, written), opened(2, stderr, written)]
    try:
        return os.posix_spawnp(argv[0], argv, env, file_actions=actions, setpgroup=0, setsigdef=[signal.SIGPIPE])
    except OSError as error:
        raise Failed(f'cannot start {argv[0]}: {error.strerror}') from None


def end(pid):
    """Kills what start() started, with all of its group."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def finish(pid, timeout):
    """Waits for the program; (status, usage). Past the timeout (seconds) it is killed, and that is a failure."""
    late = []

    def stop():
        late.append(True)
        end(pid)
    timer = threading.Timer(timeout, stop)
    timer.start()
    try:
        _, status, usage = os.wait4(pid, 0)
    finally:
        timer.cancel()
    if late:
        raise Failed(f'still ran after {timeout} s')
    return os.waitstatus_to_exitcode(status), usage


def wait_for_orphans(timeout=60):
    """Waits for all processes that were left behind; their CPU time in seconds."""
    total = 0.0
    until = time.monotonic() + timeout
    while True:
        try:
            pid, _, usage = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            return total
        if pid:
            total += cpu_seconds(usage)
        elif time.monotonic() > until:
            raise Failed('processes left behind do not end')
        else:
            time.sleep(0.002)


def run(argv, env, scratch, stdin='/dev/null', timeout=120, statuses=(0,), alone=True):
    """Runs a program to its end. alone: nothing else runs that was started here, so orphans can be told apart."""
    name = f'{scratch}/run.{threading.get_ident()}'
    begin = time.monotonic()
    pid = start(argv, env, stdin, name + '.out', name + '.err')
    try:
        status, usage = finish(pid, timeout)
    except BaseException:
        end(pid)
        raise
    wall = time.monotonic() - begin
    after = wait_for_orphans() if alone else 0.0
    with open(name + '.out', encoding='utf-8', errors='replace') as file:
        output = file.read(1 << 20)
    if status not in statuses:
        with open(name + '.err', encoding='utf-8', errors='replace') as file:
            said = file.read(4096).strip().splitlines()
        how = f'ended with {status}' if status >= 0 else f'was ended by {signal.Signals(-status).name}'
        raise Failed(f'{os.path.basename(argv[0])} {how}' + (f': {said[-1][:120]}' if said else ''))
    return Run(status, wall, cpu_seconds(usage), after, output)


def number(output, name):
    """The number in the line "NAME NUMBER"."""
    for line in output.splitlines():
        words = line.split()
        if len(words) == 2 and words[0] == name:
            return float(words[1])
    raise Failed(f'printed no "{name}"')


def in_turn(ways, rounds, once, seconds=60):
    """Runs once(way) for each way, in turn, `rounds` times, or three and more until the seconds are over. Within a round in
    a random order, so that no way always comes after the same other one. A way with a smaller number of rounds of its own
    (`rounds_of`) sits out the last ones. Returns {way: [result of each round] or the Failed that ended it}."""
    order = random.Random(1)
    results = {way.id: [] for way in ways}
    until = time.monotonic() + seconds
    for turn in range(rounds):
        if turn >= 3 and time.monotonic() > until:
            break
        for way in order.sample(ways, len(ways)):
            if isinstance(results[way.id], Failed) or turn >= way.rounds_of(rounds):
                continue
            try:
                results[way.id].append(once(way))
            except Failed as failure:
                results[way.id] = failure
    return results


def summary(values):
    """Median, and the median distance from it, of the values of all rounds."""
    middle = statistics.median(values)
    return {
        'value': middle,
        'spread': statistics.median(abs(value - middle) for value in values),
        'low': min(values),
        'high': max(values),
        'rounds': len(values),
    }


def paired(values, base, compare):
    """The summary of compare(value, base's value in the same round)."""
    return summary([compare(value, other) for value, other in zip(values, base)])
