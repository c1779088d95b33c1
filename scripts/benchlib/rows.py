"""The rows: what is measured, in which ways, and what whoholds aims at."""
import concurrent.futures
import os
import shutil

from benchlib import measure
from benchlib.ways import ALLOCATION_WAYS, LOCK_WAYS


class Aim:
    """What the cell of `way` should reach: at most (or at least) `limit`, in the row's unit."""

    def __init__(self, limit, way='exact', most=True):
        self.limit, self.way, self.most = limit, way, most

    def met(self, cell):
        """True or False; None where there is no figure."""
        if not cell or 'value' not in cell:
            return None
        return cell['value'] <= self.limit if self.most else cell['value'] >= self.limit


class Row:
    """id, section, title, unit (see table.py), ways it is measured in, aim or None. measure(bench, ways) returns
    {way id: cell}; a cell is a measure.summary(), with what a run costs by itself in 'raw', or {'reason': text}."""
    rounds = 15

    def __init__(self, id, section, title, unit, ways, aim=None):
        self.id, self.section, self.title, self.unit, self.ways = id, section, title, unit, ways
        self.aim = aim

    def measure(self, bench, ways):
        raise NotImplementedError

    @staticmethod
    def cells_of(ways, results, compare, raw=float):
        """The cells of what in_turn() returned: each way against its base, round by round. compare and raw make numbers of
        the values."""
        cells = {}
        for way in ways:
            values = results[way.id]
            base = results.get(way.base)
            if isinstance(values, measure.Failed):
                cells[way.id] = {'reason': str(values)}
            elif base is None or isinstance(base, measure.Failed):
                cells[way.id] = {'reason': f'nothing to compare with: {base or way.base + " was not run"}'}
            else:
                cells[way.id] = measure.paired(values, base, compare)
                cells[way.id]['raw'] = measure.summary([raw(value) for value in values])['value']
        return cells


class Operation(Row):
    """Nanoseconds of CPU time that an operation takes more than without the tracker."""

    def __init__(self, id, section, title, ways, program, mode, count, aim):
        super().__init__(id, section, title, 'ns', ways, aim)
        self.program, self.mode, self.count = program, mode, count

    def once(self, bench, way):
        count = max(2000, self.count // way.slow // (10 if bench.quick else 1))
        return measure.number(bench.run(way, way.argv(self.program, self.mode, count)).output, 'ns')

    def measure(self, bench, ways):
        results = measure.in_turn(ways, bench.rounds(self), lambda way: self.once(bench, way))
        return self.cells_of(ways, results, lambda value, base: value - base)

    def instructions(self, bench, way):
        """Instructions an operation, of the way itself (bare's not taken off): what more operations add, so that starting
        and ending do not count. Nor does the search for leaks, whose length depends on what lies about."""
        # Locks take a longer way until the reporter thread has started: lock_pairs waits for that.
        settle = [150] if self.program == 'lock_pairs' else []
        few, many = (bench.callgrind(way, way.argv(self.program, self.mode, count, *settle), 'leaks=off') for count in (3000, 13000))
        return (many - few) / 10000


class Throughput(Row):
    """What is left of the operations that threads do in a second, in percent."""

    def __init__(self, id, section, title, ways, threads, count, aim):
        super().__init__(id, section, title, '% of bare', ways, aim)
        self.threads, self.count = threads, count

    def once(self, bench, way):
        count = max(500, self.count // way.slow // (4 if bench.quick else 1))
        output = bench.run(way, way.argv('malloc_pairs', 'threads', count, self.threads)).output
        return measure.number(output, 'per_s')

    def measure(self, bench, ways):
        results = measure.in_turn(ways, bench.rounds(self), lambda way: self.once(bench, way))
        return self.cells_of(ways, results, lambda value, base: 100 * value / base)


class OwnLocks(Row):
    """How much longer a lock takes in each of two threads than in one, although they share none."""

    def __init__(self, id, section, title, ways, count, aim):
        super().__init__(id, section, title, 'times', ways, aim)
        self.count = count

    def once(self, bench, way):
        # A slice of a millisecond or so, whatever the way: shorter than what the machine's other work leaves alone.
        count = max(200, self.count // way.slow)
        output = bench.run(way, way.argv('lock_pairs', 'own', count)).output
        return measure.number(output, 'two') / measure.number(output, 'one')

    def measure(self, bench, ways):
        results = measure.in_turn(ways, bench.rounds(self), lambda way: self.once(bench, way))
        return self.cells_of(ways, results, lambda value, base: value)


class StartToEnd(Row):
    """Milliseconds of the clock that a short program takes longer."""
    rounds = 60

    def __init__(self, id, section, title, ways, argv, aim):
        super().__init__(id, section, title, 'ms', ways, aim)
        self.argv = argv

    def measure(self, bench, ways):
        def once(way):
            return bench.run(way, way.argv(*self.argv), collect=False).wall_s * 1e3
        results = measure.in_turn(ways, bench.rounds(self), once)
        return self.cells_of(ways, results, lambda value, base: value - base)

    def instructions(self, bench, way):
        return bench.callgrind(way, way.argv(*self.argv))


class Instructions(Row):
    """Instructions that the same takes more, counted by callgrind: the same each time, so a small change shows."""

    def __init__(self, row):
        ways = [way for way in ('bare', 'exact', 'sample') if way in row.ways]
        super().__init__(f'{row.id}-instructions', 'instructions', row.title, 'instructions', ways)
        self.row = row

    def measure(self, bench, ways):
        def once(way):
            try:
                return way.id, [self.row.instructions(bench, way)]
            except measure.Failed as failure:
                return way.id, failure
        if not shutil.which('valgrind'):
            return {way.id: {'reason': 'valgrind is not installed'} for way in ways}
        # Counts do not mind company, so all cores count.
        with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            results = dict(pool.map(once, ways))
        return self.cells_of(ways, results, lambda value, base: value - base)


def micro_rows():
    allocation, locks = ALLOCATION_WAYS, LOCK_WAYS
    rows = [
        Operation('malloc-same', 'alloc', 'malloc+free, 40 frames, same stack', allocation,
                  'malloc_pairs', 'same', 2000000, Aim(25)),
        Operation('malloc-changing', 'alloc', 'malloc+free, 20 frames, every frame changed', allocation,
                  'malloc_pairs', 'changing', 500000, Aim(150)),
        Throughput('malloc-threads', 'alloc', 'eight threads allocating: throughput kept', allocation, 8, 100000,
                   Aim(60, most=False)),
        StartToEnd('true', 'alloc', '/bin/true, start to end', allocation, ['/bin/true'], Aim(2)),
        Operation('mutex', 'locks', 'lock+unlock, uncontended', locks, 'lock_pairs', 'mutex', 3000000, Aim(25)),
        Operation('mutex-nested', 'locks', 'two nested locks (both pairs)', locks, 'lock_pairs', 'nested', 1500000, Aim(60)),
        Operation('rwlock-read', 'locks', 'rdlock+unlock', locks, 'lock_pairs', 'reader', 3000000, Aim(25)),
        OwnLocks('mutex-own', 'locks', 'two threads, own locks: per pair, to one thread', locks, 20000, Aim(1.10)),
    ]
    return rows + [Instructions(row) for row in rows if hasattr(row, 'instructions')]
