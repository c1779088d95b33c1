"""The ways in which a program is run: bare, with whoholds, with its peers."""
import glob
import os
import shutil
import subprocess

from benchlib import measure

# Whose cost is measured against a run without any: the allocator that a profiler is built into is not its cost.
ALLOCATION_WAYS = ['bare', 'exact', 'sample', 'heaptrack', 'lsan', 'jemalloc', 'jemalloc-sampled', 'jemalloc-exact',
                   'memcheck']
PROGRAM_WAYS = ['bare', 'exact', 'record', 'record-alone', 'sample', 'sample-alone', *ALLOCATION_WAYS[3:]]
CHECK_WAYS = ['bare', 'check', 'memcheck']
PAIR_WAYS = ['bare', 'no-pairs', 'pairs']
DESCRIPTOR_WAYS = ['bare', 'exact', 'descriptors']
LOCK_WAYS = ['bare', 'exact', 'helgrind', 'drd', 'tsan', 'mutrace']
# Runs that only serve as somebody's base have no column.
HIDDEN = {'jemalloc'}


class Way:
    """id, title (of its column), env (set in addition), prefix (what stands before the program), base (the way that its cost
    is measured against), slow (how many times longer a call takes, roughly: so many calls fewer are made), missing (why it
    can't be run here, or None), version."""

    def __init__(self, id, title, env=None, prefix=None, base='bare', slow=1, missing=None, version=None, programs=None):
        self.id, self.title, self.base, self.slow, self.missing, self.version = id, title, base, slow, missing, version
        self.env = env or {}
        self.prefix = prefix or []
        self.programs = programs

    def rounds_of(self, rounds):
        """Slow ways are far from the others: fewer rounds tell enough."""
        return rounds if self.slow < 10 else max(1, rounds // 2) if self.slow < 20 else max(1, rounds // 5)

    def argv(self, program, *arguments):
        """program: a path, or the name of one of testprogs/bench, of which a way may have a build of its own."""
        if '/' not in program:
            program = f'{self.programs}/{program}'
        return [*self.prefix, program, *map(str, arguments)]


def first_line(*command):
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=20, check=False)
        return done.stdout.strip().splitlines()[0]
    except (OSError, IndexError, subprocess.TimeoutExpired):
        return None


def package_version(package):
    """Its name and version; None where it is not a package of this system."""
    try:
        done = subprocess.run(['dpkg-query', '-W', '-f', '${Package} ${Version}', package], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True, check=False)
        return done.stdout if done.returncode == 0 and done.stdout.strip() else None
    except OSError:
        return None


def first_file(*patterns):
    for pattern in patterns:
        for name in sorted(glob.glob(pattern)):
            return name
    return None


class Ways:
    """All ways. Those that are wanted are tried out: what does not do its work is missing, with the reason."""

    def __init__(self, bench, libraries, wanted):
        self.bench = bench
        self.all = {}
        self.add(Way('bare', 'bare'))
        for name, library in libraries.items():
            missing = None if os.path.exists(library) else f'{library} is not built'
            first = name == 'exact'
            self.add(Way(name, 'whoholds exact' if first else name, {'LD_PRELOAD': library}, missing=missing,
                         version=first_line(f'{bench.build}/bin/whoholds', '--version') if first else None))
        self.add(Way('sample', 'whoholds sample', {'LD_PRELOAD': libraries['exact'], 'WHOHOLDS_OPTIONS': 'alloc=sample'},
                     missing=self.all['exact'].missing))
        # What heaptrack is run for here: to record, not to tell of anything at the end.
        self.add(Way('record', 'exact, leaks=off', {'LD_PRELOAD': libraries['exact'], 'WHOHOLDS_OPTIONS': 'leaks=off'},
                     missing=self.all['exact'].missing))
        self.add(Way('check', 'check=heap', {'LD_PRELOAD': libraries['exact'], 'WHOHOLDS_OPTIONS': 'check=heap'},
                     missing=self.all['exact'].missing))
        # And what the peers that know of nothing else record: allocations alone.
        for id, title, alloc in (('record-alone', 'exact, allocations alone', 'exact'),
                                 ('sample-alone', 'sample, allocations alone', 'sample')):
            self.add(Way(id, title, {'LD_PRELOAD': libraries['exact'],
                                     'WHOHOLDS_OPTIONS': f'alloc={alloc}:locks=off:iterators=off:leaks=off'},
                         missing=self.all['exact'].missing))
        counters = f'{bench.root}/testprogs/shared/counters.conf'
        self.add(Way('no-pairs', 'exact, iterators=off', {'LD_PRELOAD': libraries['exact'], 'WHOHOLDS_OPTIONS': 'iterators=off'},
                     missing=self.all['exact'].missing))
        self.add(Way('pairs', 'pairs followed: on top of that', {
            'LD_PRELOAD': libraries['exact'], 'WHOHOLDS_OPTIONS': f'descriptors=on:pairs={counters}'}, base='no-pairs',
            missing=self.all['exact'].missing))
        self.add(Way('descriptors', 'descriptors=on: on top of that', {
            'LD_PRELOAD': libraries['exact'], 'WHOHOLDS_OPTIONS': 'descriptors=on'}, base='exact', missing=self.all['exact'].missing))
        self.add_heaptrack()
        self.add_lsan()
        self.add_jemalloc()
        self.add_valgrind()
        self.add_tsan('tsan' in wanted)
        mutrace = shutil.which('mutrace')
        self.add(Way('mutrace', 'mutrace', prefix=['mutrace', '--hash-size=1009'], slow=10,
                     missing=None if mutrace else 'not installed (not in Debian 12)', version=package_version('mutrace')))
        for way in self.all.values():
            way.programs = way.programs or f'{bench.build}/testprogs/bench'
            if not way.missing and way.id in wanted | libraries.keys():
                way.missing = self.try_out(way)

    def add(self, way):
        self.all[way.id] = way

    def add_heaptrack(self):
        library = first_file('/usr/lib/heaptrack/libheaptrack_preload.so', '/usr/lib/*/heaptrack/libheaptrack_preload.so',
                             '/usr/local/lib/heaptrack/libheaptrack_preload.so')
        # What the command sets up, without the interpreter and compressor behind it: the recording alone. $$ is the pid.
        self.add(Way('heaptrack', 'heaptrack', {'LD_PRELOAD': library, 'DUMP_HEAPTRACK_OUTPUT': f'{self.bench.scratch}/heaptrack.$$'},
                     slow=12, missing=None if library else 'not installed', version=package_version('heaptrack')))

    def add_lsan(self):
        library = first_line('gcc', '-print-file-name=liblsan.so')
        # exitcode: leaks are not what is measured; symbolize: nor is how long it takes to look up names.
        self.add(Way('lsan', 'LSan', {'LD_PRELOAD': os.path.realpath(library or ''), 'LSAN_OPTIONS': 'exitcode=0:symbolize=0'},
                     missing=None if library and '/' in library else 'not installed', version=first_line('gcc', '--version')))

    def add_jemalloc(self):
        library = first_file('/usr/lib/*/libjemalloc.so.2', '/usr/lib*/libjemalloc.so.2')
        missing = None if library else 'not installed'
        version = package_version('libjemalloc2')
        self.add(Way('jemalloc', 'jemalloc', {'LD_PRELOAD': library}, missing=missing, version=version))
        dump = f'prof:true,prof_final:true,prof_prefix:{self.bench.scratch}/jemalloc'
        self.add(Way('jemalloc-sampled', 'jemalloc sampled', {'LD_PRELOAD': library, 'MALLOC_CONF': dump}, base='jemalloc',
                     missing=missing, version=version))
        self.add(Way('jemalloc-exact', 'jemalloc exact', {'LD_PRELOAD': library, 'MALLOC_CONF': dump + ',lg_prof_sample:0'},
                     base='jemalloc', slow=12, missing=missing, version=version))

    def add_valgrind(self):
        missing = None if shutil.which('valgrind') else 'not installed'
        version = first_line('valgrind', '--version')
        common = ['valgrind', '-q', '--trace-children=yes', '--log-file=/dev/null']
        for id, title, slow in (('memcheck', 'memcheck', 40), ('helgrind', 'helgrind', 200), ('drd', 'DRD', 200)):
            self.add(Way(id, title, prefix=[*common, f'--tool={id}'], slow=slow, missing=missing, version=version))

    def add_tsan(self, wanted):
        self.add(Way('tsan', 'TSan (rebuilt)', {'TSAN_OPTIONS': 'exitcode=0'}, slow=10, version=first_line('gcc', '--version'),
                     missing=self.build_tsan() if wanted else None, programs=f'{self.bench.build}/bench/tsan'))

    def build_tsan(self):
        """Builds the programs that take locks with -fsanitize=thread; why not, or None."""
        folder = f'{self.bench.build}/bench/tsan'
        os.makedirs(folder, exist_ok=True)
        root = self.bench.root
        command = ['gcc', '-std=gnu11', '-O1', '-g', '-fsanitize=thread', '-D_GNU_SOURCE', f'-I{root}/testprogs', '-pthread',
                   '-o', f'{folder}/lock_pairs', f'{root}/testprogs/bench/lock_pairs.c']
        try:
            done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
        except OSError as error:
            return f'gcc: {error.strerror}'
        return None if done.returncode == 0 else 'gcc -fsanitize=thread: ' + done.stderr.strip()[:120]

    def try_out(self, way):
        """Does it do its work at all? A profiler that was built without its profiler is quick. Why not, or None."""
        proofs = {
            'exact': ('live_blocks', [10], {'WHOHOLDS_OPTIONS': 'keep=on'}, 'whoholds/*.whr'),
            'heaptrack': ('live_blocks', [10], {}, 'heaptrack.*'),
            'jemalloc-sampled': ('live_blocks', [10], {}, 'jemalloc*.heap'),
            'jemalloc-exact': ('live_blocks', [10], {}, 'jemalloc*.heap'),
        }
        program, arguments, env, proof = proofs.get(way.id, ('lock_pairs', ['mutex', 10], {}, None))
        # A leak that it finds is the proof of a leak checker.
        if way.id == 'lsan':
            program, arguments, env = 'live_blocks', [100, 0, 50], {'LSAN_OPTIONS': 'exitcode=23:symbolize=0'}
        try:
            self.bench.run(way, way.argv(program, *arguments), env=env, statuses=(23,) if way.id == 'lsan' else (0,), clean=False)
        except measure.Failed as failure:
            return str(failure)
        found = not proof or any(os.path.getsize(name) for name in glob.glob(f'{self.bench.scratch}/{proof}'))
        self.bench.clean()
        return None if found else 'records nothing (built without its profiler?)'

    def here(self, ids):
        """Those of them that can be run."""
        return [self.all[id] for id in ids if id in self.all and not self.all[id].missing]
