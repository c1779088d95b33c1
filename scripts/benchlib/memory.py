"""Rows of bytes: the memory that a tracker needs, and what it leaves behind."""
import glob
import os
import subprocess

from benchlib import measure
from benchlib.rows import Aim, Row
from benchlib.ways import ALLOCATION_WAYS

MIB = 1 << 20


class Memory(Row):
    """Proportional set size of a program that keeps many blocks of 64 bytes on average, against the same bare; the recording,
    which is mapped, is in it. At three numbers of blocks, since tables grow in steps: the worst counts."""
    rounds = 2
    counts = (1000000, 2000000, 3000000)

    def grown(self, bench, ways):
        """{way id: [[bytes without blocks, bytes a block for each number of blocks] of each round]}, measured once for both
        rows."""
        def once(way):
            # A block can take a page of its own (jemalloc's exact profile): fewer of those, for machines with less memory.
            fewer = (10 if bench.quick else 1) * (10 if way.slow >= 10 else 1)
            counts = [count // fewer for count in self.counts]
            none, *sizes = (1024 * measure.number(bench.run(way, way.argv('live_blocks', count)).output, 'pss_kib')
                            for count in (0, *counts))
            return [none] + [(size - none) / count for size, count in zip(sizes, counts)]
        if 'memory' not in bench.cache:
            bench.cache['memory'] = measure.in_turn(ways, bench.rounds(self), once)
        return bench.cache['memory']


class FixedMemory(Memory):
    def __init__(self):
        super().__init__('memory-fixed', 'memory', "tracker's memory, no blocks", 'MiB', ALLOCATION_WAYS, Aim(8))

    def measure(self, bench, ways):
        return self.cells_of(ways, self.grown(bench, ways), lambda value, base: (value[0] - base[0]) / MIB,
                             lambda value: value[0] / MIB)


class BlockMemory(Memory):
    def __init__(self):
        super().__init__('memory-block', 'memory', "tracker's memory, a live block of 64 bytes", 'bytes', ALLOCATION_WAYS, Aim(32))

    def measure(self, bench, ways):
        def worst(value, base):
            return max(mine - others for mine, others in zip(value[1:], base[1:]))
        return self.cells_of(ways, self.grown(bench, ways), worst, lambda value: max(value[1:]))


class FileSize(Row):
    """What is left in files after many events, and how many times that of a tenth of the events it is. kind: recording, as it
    was written while the program ran; report, the text made of it."""
    events, blocks, lost = 3000000, 20000, 200
    # A program of a tenth of the events ends before the first look at its heap (100 ms), which writes one row of each series.
    rest_ms = 1500
    rounds = 1

    def __init__(self, kind, growth):
        title = f'{kind} after {self.events // 1000000} million events'
        # heaptrack's report is another program's, and too few of the lost blocks are in a sample to be told of.
        ways = ['exact', 'sample', 'heaptrack'] if kind == 'recording' else ['exact']
        if growth:
            super().__init__(f'{kind}-growth', 'memory', f'{title}: to a tenth of them', 'times', ways, Aim(1.05))
        else:
            super().__init__(f'{kind}-size', 'memory', title, 'KiB', ways)
        self.kind, self.growth = kind, growth

    def sizes(self, bench, ways, events):
        """{way id: {kind: KiB}}, measured once for all rows."""
        key = ('files', events)
        if key not in bench.cache:
            bench.cache[key] = {way.id: self.sizes_of(bench, way, events) for way in ways}
        return bench.cache[key]

    def sizes_of(self, bench, way, events):
        options = ':'.join(filter(None, [way.env.get('WHOHOLDS_OPTIONS'), 'keep=on']))
        try:
            # Some blocks are lost: a report has something to say then.
            bench.run(way, way.argv('live_blocks', self.blocks, events, self.lost, self.rest_ms), env={'WHOHOLDS_OPTIONS': options}, clean=False)
            if way.id == 'heaptrack':
                return {'recording': self.size_of(glob.glob(f'{bench.scratch}/heaptrack.*'))}
            recordings = glob.glob(f'{bench.scratch}/whoholds/*.whr')
            report = subprocess.run([f'{bench.build}/bin/whoholds', 'report', *recordings], env=bench.env, stdout=subprocess.PIPE,
                                    stderr=subprocess.PIPE, timeout=120, check=False)
            return {'recording': self.size_of(recordings), 'report': len(report.stdout) / 1024 or None}
        except measure.Failed as failure:
            return failure
        finally:
            bench.clean()

    @staticmethod
    def size_of(names):
        """What the files take, in KiB: a recording has holes."""
        return sum(os.stat(name).st_blocks for name in names) / 2 or None

    def measure(self, bench, ways):
        events = self.events // 10 if bench.quick else self.events
        many, few = self.sizes(bench, ways, events), self.sizes(bench, ways, events // 10)
        cells = {}
        for way in ways:
            failed = next((each for each in (many[way.id], few[way.id]) if isinstance(each, measure.Failed)), None)
            sizes = (None, None) if failed else (many[way.id].get(self.kind), few[way.id].get(self.kind))
            if not all(sizes):
                cells[way.id] = {'reason': str(failed or f'no {self.kind}')}
            else:
                cells[way.id] = measure.summary([sizes[0] / sizes[1] if self.growth else sizes[0]])
        return cells


def memory_rows():
    return [FixedMemory(), BlockMemory()] + [FileSize(kind, growth) for kind in ('recording', 'report') for growth in (False, True)]
