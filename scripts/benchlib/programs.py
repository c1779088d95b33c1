"""Real programs: the CPU time that they take more, against bare and against heaptrack."""
import math
import os
import random
import shutil
import socket
import time

from benchlib import measure
from benchlib.rows import Aim, Row
from benchlib.ways import CHECK_WAYS, PROGRAM_WAYS


def make_sql(path):
    """A table of rows, an index, a group, a sort."""
    with open(path, 'w', encoding='utf-8') as file:
        file.write('CREATE TABLE rows(id INTEGER PRIMARY KEY, name TEXT, value REAL);\nCREATE INDEX by_name ON rows(name);\nBEGIN;\n')
        for i in range(1, 60001):
            file.write(f"INSERT INTO rows VALUES({i}, 'name-{i * 7919 % 30011}', {i % 977}.5);\n")
        file.write('COMMIT;\nSELECT count(*), sum(value), max(name) FROM rows;\n'
                   'SELECT name, count(*) FROM rows GROUP BY name ORDER BY 2 DESC, 1 LIMIT 5;\n'
                   'DELETE FROM rows WHERE id % 3 = 0;\nSELECT count(*) FROM rows;\n')


def make_source(path):
    """C of 5,000 lines and more, with structures, loops, switches and strings; the same each time."""
    pick = random.Random(3)
    lines = ['#include <stdio.h>', '#include <stdlib.h>', '#include <string.h>']
    for n in range(120):
        fields = pick.randrange(4, 9)
        lines += [f'enum state{n} {{', *(f'\tSTATE{n}_{i} = {i * 3},' for i in range(6)), '};', f'struct item{n} {{',
                  *(f'\t{pick.choice(["int", "long", "double", "unsigned char"])} field{i};' for i in range(fields)), '};',
                  f'static const char *const names{n}[] = {{', *(f'\t"state {n} {i}",' for i in range(6)), '};',
                  f'int work{n}(const struct item{n} *item, enum state{n} state, char *text)', '{', '\tlong sum = 0;']
        for i in range(fields):
            lines.append(f'\tsum += (long)item->field{i} {pick.choice("*+-")} {pick.randrange(2, 90)};')
        lines.append('\tswitch (state) {')
        for case in range(6):
            lines += [f'\tcase STATE{n}_{case}:', f'\t\tsum ^= strlen(names{n}[{case}]);', '\t\tbreak;']
        lines += ['\t}', '\twhile (sum > 1000)', f'\t\tsum = sum / 2 - {pick.randrange(2, 30)};']
        if n:
            lines += [f'\tif (sum & {pick.randrange(1, 64)})', f'\t\tsum += work{n - 1}((const void *)item, 0, text);']
        lines += [f'\tsnprintf(text, 40, "%s %ld", names{n}[0], sum);', '\treturn (int)sum;', '}', '']
    with open(path, 'w', encoding='utf-8') as file:
        file.write('\n'.join(lines))


def make_history(bench, folder):
    """A repository of 600 commits to six files of some hundred lines; the same each time."""
    pick = random.Random(5)
    files = {f'file{n}.txt': [f'line {i} of file {n}: {pick.randrange(10**9)}' for i in range(700)] for n in range(6)}
    stream = []
    for commit in range(600):
        message = f'commit {commit}\n'
        stream.append(f'commit refs/heads/main\ncommitter A <a@example.org> {1700000000 + commit * 60} +0000\n'
                      f'data {len(message)}\n{message}')
        for name in pick.sample(sorted(files), 2 if commit else 6):
            lines = files[name]
            for _ in range(12):
                lines[pick.randrange(len(lines))] = f'changed by {commit}: {pick.randrange(10**9)}'
            text = '\n'.join(lines) + '\n'
            stream.append(f'M 100644 inline {name}\ndata {len(text)}\n{text}')
    given = f'{bench.scratch}/keep/history'
    with open(given, 'w', encoding='utf-8') as file:
        file.write('\n'.join(stream) + '\n')
    measure.run(['git', 'init', '-q', '-b', 'main', folder], bench.env, bench.scratch)
    measure.run(['git', '-C', folder, 'fast-import', '--quiet'], bench.env, bench.scratch, stdin=given)


class Program(Row):
    """Milliseconds of CPU time, of the program and all of its children, more than bare. exact has all that whoholds does:
    recording, the search for lost memory, and the report, which a child writes."""
    rounds = 9
    needs = ()

    def __init__(self, id, title):
        super().__init__(id, 'programs', f'{title}: extra CPU time', 'ms', PROGRAM_WAYS)
        self.name = title

    def prepare(self, bench):
        """Makes the inputs, in bench.scratch/keep."""

    def once(self, bench, way):
        """Runs it; a measure.Run."""
        raise NotImplementedError

    def results(self, bench, ways):
        """The runs of all rounds, measured once however many rows show them."""
        known_as = (self.id, *(way.id for way in ways))
        if known_as not in bench.cache:
            lacking = [command for command in self.needs if not shutil.which(command)]
            if lacking:
                failure = measure.Failed(f'{" and ".join(lacking)} not installed')
                bench.cache[known_as] = {way.id: failure for way in ways}
            else:
                self.prepare(bench)
                # The first run reads files that the others find in memory.
                self.once(bench, ways[0])
                bench.cache[known_as] = measure.in_turn(ways, bench.rounds(self), lambda way: self.once(bench, way))
        return bench.cache[known_as]

    def cpu_cells(self, bench, ways, compare):
        results = self.results(bench, ways)
        return self.cells_of(ways, {id: runs if isinstance(runs, measure.Failed) else [run.cpu_s * 1e3 for run in runs]
                                    for id, runs in results.items()}, compare)

    def measure(self, bench, ways):
        cells = self.cpu_cells(bench, ways, lambda value, base: value - base)
        for id, runs in self.results(bench, ways).items():
            if 'value' in cells.get(id, {}):
                cells[id]['after'] = measure.summary([run.after_s * 1e3 for run in runs])['value']
        return cells


class Sqlite(Program):
    needs = ('sqlite3',)

    def prepare(self, bench):
        make_sql(f'{bench.scratch}/keep/rows.sql')

    def once(self, bench, way):
        return bench.run(way, way.argv(shutil.which('sqlite3'), ':memory:'), stdin=f'{bench.scratch}/keep/rows.sql', timeout=300)


class Python(Program):
    needs = ('/usr/bin/python3',)

    def once(self, bench, way):
        # Not what a version manager puts before it: that is a shell script.
        argv = way.argv('/usr/bin/python3', f'{bench.root}/testprogs/bench/json_work.py', 3)
        return bench.run(way, argv, env={'PYTHONMALLOC': 'malloc'}, timeout=300)


class Gcc(Program):
    rounds = 5
    needs = ('gcc',)

    def prepare(self, bench):
        make_source(f'{bench.scratch}/keep/source.c')

    def once(self, bench, way):
        argv = way.argv(shutil.which('gcc'), '-O2', '-w', '-c', f'{bench.scratch}/keep/source.c', '-o', f'{bench.scratch}/source.o')
        if way.id == 'heaptrack':
            # It takes itself out of its children's environment, and the compiler proper is one.
            argv += ['-wrapper', ','.join(['env', *(f'{name}={value}' for name, value in way.env.items())])]
        return bench.run(way, argv, timeout=300)


class Git(Program):
    needs = ('git',)

    def prepare(self, bench):
        make_history(bench, f'{bench.scratch}/keep/repository')

    def once(self, bench, way):
        argv = way.argv(shutil.which('git'), '--no-pager', '-C', f'{bench.scratch}/keep/repository', 'log', '-p')
        return bench.run(way, argv, timeout=300)


class Redis(Program):
    """CPU time of the server; the benchmark runs bare, beside it, over a socket in a directory of ours."""
    needs = ('redis-server', 'redis-benchmark')

    def once(self, bench, way):
        requests = 5000 if bench.quick else 40000
        return self.serve(bench, way, ['-P', '16', '-c', '20', '-r', '10000', '-n', str(requests), '-t', 'set,get,lpush,hset,zadd'])

    def serve(self, bench, way, load):
        """A run of the server under redis-benchmark with the arguments `load`."""
        path = f'{bench.scratch}/redis.sock'
        argv = way.argv(shutil.which('redis-server'), '--port', '0', '--unixsocket', path, '--save', '', '--appendonly', 'no',
                        '--dir', bench.scratch, '--daemonize', 'no')
        server = measure.start(argv, {**bench.env, **way.env}, stderr=f'{bench.scratch}/redis.err')
        try:
            self.await_server(path, server)
            measure.run(['redis-benchmark', '-s', path, '-q', *load], bench.env, bench.scratch, timeout=300, alone=False)
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(path)
                client.sendall(b'SHUTDOWN NOSAVE\r\n')
            status, usage = measure.finish(server, 120)
            server = None
            if status:
                raise measure.Failed(f'redis-server ended with {status}')
            return measure.Run(status, 0, measure.cpu_seconds(usage), measure.wait_for_orphans(), '')
        finally:
            if server:
                measure.end(server)
                os.waitpid(server, 0)
            bench.clean()

    @staticmethod
    def await_server(path, server):
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                with socket.socket(socket.AF_UNIX) as client:
                    client.connect(path)
                    client.sendall(b'PING\r\n')
                    if client.recv(7).startswith(b'+PONG'):
                        return
            except OSError:
                pass
            if os.waitid(os.P_PID, server, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                break
            time.sleep(0.01)
        raise measure.Failed('redis-server does not answer')


class Share(Row):
    """The same in percent of what it takes bare."""

    def __init__(self, program):
        super().__init__(f'{program.id}-share', 'programs', f'{program.name}: in percent of bare', '%', PROGRAM_WAYS,
                         Aim(2, way='sample'))
        self.program = program

    def measure(self, bench, ways):
        return self.program.cpu_cells(bench, ways, lambda value, base: 100 * (value - base) / base)


class Checked(Row):
    """How many times as much CPU time it takes where every block is checked."""

    def __init__(self, program):
        super().__init__(f'{program.id}-checked', 'checked', f'{program.name}: CPU time', 'times', CHECK_WAYS, Aim(2, way='check'))
        self.program = program

    def measure(self, bench, ways):
        return self.program.cpu_cells(bench, ways, lambda value, base: value / base)


def fractions(cells):
    """Each way's extra as a part of heaptrack's."""
    peer = cells.get('heaptrack', {})
    if peer.get('value', 0) <= 0:
        return {id: {'reason': 'no figure of heaptrack to divide by'} for id in cells}
    return {id: {'value': cell['value'] / peer['value'], 'spread': cell['spread'] / peer['value'], 'rounds': cell['rounds']}
            if 'value' in cell else cell for id, cell in cells.items() if id != 'bare'}


class Fraction(Row):
    """The same as a part of heaptrack's: medians of both, of the same rounds."""

    def __init__(self, program):
        super().__init__(f'{program.id}-fraction', 'programs', f"{program.name}: of heaptrack's extra", 'times', PROGRAM_WAYS,
                         Aim(1 / 8))
        self.program = program

    def measure(self, bench, ways):
        return fractions(self.program.measure(bench, ways))


class Mean(Row):
    """The geometric mean of the fractions. One of less than a thousandth, which is none that could be told from
    nothing, counts as a thousandth."""

    def __init__(self, programs):
        super().__init__('programs-mean', 'programs', "geometric mean: of heaptrack's extra", 'times', PROGRAM_WAYS, Aim(1 / 12))
        self.programs = programs

    def measure(self, bench, ways):
        parts = {}
        for program in self.programs:
            for id, cell in fractions(program.measure(bench, ways)).items():
                parts.setdefault(id, []).append(cell.get('value'))
        cells = {}
        for id, values in parts.items():
            known = [max(value, 1e-3) for value in values if value is not None]
            if known:
                cells[id] = {'value': math.exp(sum(map(math.log, known)) / len(known)), 'spread': 0, 'rounds': 1,
                             'programs': len(known)}
            else:
                cells[id] = {'reason': 'measured with none of the programs'}
        return cells


def program_rows():
    programs = [Sqlite('sqlite3', 'sqlite3, 60,000 rows'), Python('python3', 'python3, JSON'), Gcc('gcc', 'gcc -O2, 5,000 lines'),
                Git('git', 'git log -p'), Redis('redis', 'redis-server')]
    return programs + [Share(program) for program in programs] + [Fraction(program) for program in programs] + [Mean(programs)] + \
        [Checked(program) for program in programs]
