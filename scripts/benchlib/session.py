"""One run of the benchmark: what scripts/bench does."""
import datetime
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import threading
import time

from benchlib import compare, measure, memory, pairs, programs, readme, rows, search, table
from benchlib.ways import HIDDEN, Ways

FORMAT = 1


def say(text):
    """Messages go to standard error: standard output is the table, or JSON."""
    print(text, file=sys.stderr, flush=True)


class Bench:
    """Where things are, and how long they are measured."""
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

    def __init__(self, options):
        self.build = os.path.realpath(os.path.join(self.root, options.build))
        self.quick, self.fixed_rounds = options.quick, options.rounds
        # Memory, where there is enough: what is measured is the tracker, not the disk.
        self.scratch = tempfile.mkdtemp(prefix='whoholds-bench.', dir=self.roomy('/dev/shm', 4 << 30))
        self.env = {
            'PATH': os.environ.get('PATH', '/usr/bin:/bin'), 'HOME': self.scratch, 'TMPDIR': self.scratch, 'TZ': 'UTC',
            'LC_ALL': 'C.UTF-8', 'WHOHOLDS_DIR': f'{self.scratch}/whoholds',
        }
        # What several rows show is measured once.
        self.cache = {}
        self.clean()

    @staticmethod
    def roomy(folder, bytes_free):
        try:
            return folder if shutil.disk_usage(folder).free >= bytes_free else None
        except OSError:
            return None

    def clean(self):
        """Takes away what runs have left in the scratch directory, and keeps `keep/`."""
        for name in os.listdir(self.scratch):
            if name != 'keep':
                path = f'{self.scratch}/{name}'
                shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)
        os.makedirs(f'{self.scratch}/keep', exist_ok=True)
        os.mkdir(f'{self.scratch}/whoholds', 0o700)

    def close(self):
        shutil.rmtree(self.scratch, ignore_errors=True)

    def rounds(self, row):
        if self.fixed_rounds:
            return self.fixed_rounds
        return 3 if self.quick else row.rounds

    def run(self, way, argv, env=None, clean=True, collect=True, **more):
        """measure.run() in a way. collect=False: processes left behind are waited for elsewhere."""
        try:
            return measure.run(argv, {**self.env, **way.env, **(env or {})}, self.scratch, **more)
        finally:
            if clean and collect:
                self.clean()

    def callgrind(self, way, argv, options=''):
        """Instructions of a run, all threads and the start included; options are whoholds' own. The reporter thread is told to
        look once an hour, since how often it looks depends on the clock."""
        env = {**self.env, **way.env}
        if 'whoholds' in way.env.get('LD_PRELOAD', ''):
            env['WHOHOLDS_OPTIONS'] = ':'.join(filter(None, [env.get('WHOHOLDS_OPTIONS'), 'tick=1h', options]))
        # Several run at once, each with a file of its own.
        name = f'{self.scratch}/keep/callgrind.{threading.get_ident()}'
        prefix = ['valgrind', '--tool=callgrind', f'--callgrind-out-file={name}', '--log-file=/dev/null']
        measure.run([*prefix, *argv], env, self.scratch, alone=False)
        try:
            with open(name, encoding='utf-8', errors='replace') as file:
                return next(int(line.split()[1]) for line in file if line.startswith(('summary:', 'totals:')))
        except (OSError, StopIteration):
            raise measure.Failed('callgrind wrote no totals') from None


def one_line(command, cwd=None):
    done = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    return done.stdout.strip()


def processor():
    try:
        with open('/proc/cpuinfo', encoding='utf-8') as file:
            return next(line.split(':')[1].strip() for line in file if line.startswith('model name'))
    except (OSError, StopIteration, IndexError):
        return platform.processor() or 'unknown'


def distribution():
    try:
        return platform.freedesktop_os_release().get('PRETTY_NAME', 'unknown')
    except OSError:
        return 'unknown'


def about(bench, options):
    """The fields that say what was measured, where and when."""
    return {
        'format': FORMAT,
        'date': datetime.datetime.now(datetime.timezone.utc).isoformat(timespec='seconds'),
        'commit': one_line(['git', 'rev-parse', '--short=12', 'HEAD'], bench.root) or None,
        'modified': bool(one_line(['git', 'status', '--porcelain', '--untracked-files=no'], bench.root)),
        'machine': {
            'processor': processor(),
            'cores': len(os.sched_getaffinity(0)),
            'memory_mib': os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') >> 20,
            'load': round(os.getloadavg()[0], 2),
        },
        'kernel': f'{platform.system()} {platform.release()} {platform.machine()}',
        'system': distribution(),
        'libc': ' '.join(platform.libc_ver()),
        'quick': options.quick,
    }


def chosen(every, only):
    """The rows that begin with one of the names, or are called so."""
    if not only:
        return every
    exact = [row for row in every if row.id in only]
    names = {row.id for row in exact}
    loose = [name for name in only if name not in names]
    return [row for row in every if row.id in names or any(row.id.startswith(name) for name in loose)]


def libraries(bench, options):
    found = {'exact': f'{bench.build}/lib/libwhoholds.so'}
    for given in options.library:
        name, _, path = given.partition('=')
        if not path or name in found:
            raise SystemExit(f'bench: --library {given}: not NAME=FILE with a name of its own')
        found[name] = os.path.realpath(path)
    return found


def measured(bench, ways, row, extra):
    here = ways.here(row.ways + extra)
    begin = time.monotonic()
    cells = row.measure(bench, here)
    for id in row.ways:
        if id not in cells:
            cells[id] = {'reason': ways.all[id].missing or 'not measured'}
    aim = row.aim and {'limit': row.aim.limit, 'most': row.aim.most, 'way': row.aim.way, 'met': row.aim.met(cells.get(row.aim.way))}
    say(f'{row.id}: {time.monotonic() - begin:.0f} s')
    return {'id': row.id, 'section': row.section, 'title': row.title, 'unit': row.unit, 'aim': aim, 'ways': cells}


def run_rows(bench, wanted, options):
    begin = time.monotonic()
    ways = Ways(bench, libraries(bench, options), {id for row in wanted for id in row.ways})
    results = about(bench, options)
    extra = [given.partition('=')[0] for given in options.library]
    results['rows'] = [measured(bench, ways, row, extra) for row in wanted]
    results['ways'] = {way.id: {'title': way.title, 'base': way.base, 'version': way.version, 'missing': way.missing,
                                'shown': way.id not in HIDDEN} for way in ways.all.values()}
    results['seconds'] = round(time.monotonic() - begin)
    return results


def output_name(bench, options):
    """A run of some rows, or a short one, does not take the place of a whole one."""
    whole = not (options.only or options.quick or options.rounds)
    return options.output or f'{bench.build}/bench/{"results" if whole else "last"}.json'


def write_results(name, results):
    os.makedirs(os.path.dirname(os.path.abspath(name)), exist_ok=True)
    with open(name + '.new', 'w', encoding='utf-8') as file:
        json.dump(results, file, indent=1, ensure_ascii=False)
        file.write('\n')
    os.replace(name + '.new', name)


def read_results(name):
    """What write_results() wrote; ends with a message where it is something else."""
    try:
        with open(name, encoding='utf-8') as file:
            results = json.load(file)
    except (OSError, ValueError) as error:
        raise SystemExit(f'bench: {name}: {error}') from None
    if not isinstance(results, dict) or results.get('format') != FORMAT:
        raise SystemExit(f'bench: {name}: not results of this benchmark (format {FORMAT})')
    return results


def whole_run(options):
    every = rows.micro_rows() + programs.program_rows() + pairs.pair_rows() + memory.memory_rows() + search.search_rows()
    if options.list:
        for row in every:
            print(f'{row.id:30} {row.title}{", instructions" if row.unit == "instructions" else ""}')
        return 0
    wanted = chosen(every, options.only)
    if not wanted:
        say(f'bench: no row begins with {" or ".join(options.only)}; see --list')
        return 2
    measure.adopt_orphans()
    bench = Bench(options)
    try:
        results = run_rows(bench, wanted, options)
    finally:
        bench.close()
    write_results(output_name(bench, options), results)
    if options.json:
        json.dump(results, sys.stdout, indent=1, ensure_ascii=False)
        print()
    else:
        print('\n'.join(table.as_text(results)))
    say(f'bench: {results["seconds"]} s, written to {output_name(bench, options)}')
    return 0


def main(options):
    if options.compare:
        print('\n'.join(compare.as_text(*map(read_results, options.compare))))
        return 0
    if options.readme:
        readme.write(Bench.root, read_results(options.readme), options.readme)
        return 0
    return whole_run(options)
