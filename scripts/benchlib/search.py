"""Rows of the search for lost memory, and of why something is kept: in a process that has made its heap and sleeps."""
import json
import subprocess

from benchlib import measure
from benchlib.rows import Aim, Row

GIB = 1 << 30
SEARCH_WAYS = ['exact']


class Searched(Row):
    """One number of what `whoholds VERB --format=json PID ARGUMENTS` says of scan_heap."""
    rounds = 3
    verb, arguments = 'leaks', ()

    def __init__(self, id, title, unit, aim, number):
        super().__init__(id, 'search', title, unit, SEARCH_WAYS, aim)
        self.number = number

    def heap(self, bench):
        """The arguments of scan_heap: MiB, largest block."""
        return (64 if bench.quick else 1024, 512)

    def asked(self, bench, way):
        """What it says, as JSON."""
        argv = way.argv('scan_heap', *self.heap(bench))
        with subprocess.Popen(argv, env={**bench.env, **way.env}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True) as program:
            try:
                if not program.stdout.readline().startswith('ready'):
                    raise measure.Failed('scan_heap has no room for its blocks')
                done = subprocess.run([f'{bench.build}/bin/whoholds', self.verb, '--format=json', str(program.pid), *self.arguments],
                                      env=bench.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120, check=False)
                if done.returncode:
                    raise measure.Failed((done.stderr.strip().splitlines() or ['no answer'])[-1])
                return json.loads(done.stdout)
            except subprocess.TimeoutExpired:
                raise measure.Failed('no answer within two minutes') from None
            finally:
                # Not its own end: a search of its own is not what is measured.
                program.kill()
                program.wait()
                bench.clean()

    def measure(self, bench, ways):
        key = (self.verb, *(way.id for way in ways))
        if key not in bench.cache:
            bench.cache[key] = measure.in_turn(ways, bench.rounds(self), lambda way: self.asked(bench, way))
        return {id: {'reason': str(reports)} if isinstance(reports, measure.Failed)
                else measure.summary([self.number(report) for report in reports])
                for id, reports in bench.cache[key].items()}


class Why(Searched):
    verb, arguments = 'why', ('main',)

    def heap(self, bench):
        """Ten million blocks of 64 bytes on average."""
        return (61 if bench.quick else 611, 112)


def speed(report):
    """GB of blocks a second of processor time, for each of the images that were searched."""
    search = report['search']
    return search['bytes'] * search['images'] / max(search['cpu_s'], 1e-9) / 1e9


def search_rows():
    small = 'search of 1 GiB in blocks of 16 to 512 bytes'
    return [
        Searched('scan-speed', f'{small}, of each image', 'GB/s', Aim(1, most=False), speed),
        Searched('scan-memory', f'{small}: memory', '% of the heap', Aim(3),
                 lambda report: 100 * report['search']['memory_bytes'] / report['search']['bytes']),
        Searched('scan-pause', f'{small}: held still beyond the fork', 'ms', Aim(1),
                 lambda report: 1e3 * (report['search']['pause_s'] - report['search']['fork_s'])),
        Why('why', 'why a site\'s largest blocks are kept, 10 million blocks', 's', Aim(10),
            lambda report: report['why']['took_s']),
    ]
