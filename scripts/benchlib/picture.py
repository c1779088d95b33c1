"""The results as a picture (SVG), on logarithmic scales: costs of the tools are orders of magnitude apart."""
import math
from xml.sax.saxutils import escape

from benchlib.ways import HIDDEN

OURS = {'exact': '#0b6e4f', 'record': '#2f9e76', 'record-alone': '#2f9e76', 'sample': '#6cc3a0', 'sample-alone': '#6cc3a0'}
OTHERS = '#9aa3ad'
ROW, GAP, LEFT, LABEL, WIDTH, RIGHT = 15, 14, 20, 250, 860, 95

# Panels: title, rows (id and what it is called here), the scale's unit.
PANELS = [
    ('Nanoseconds that an operation takes more', 'ns',
     ['malloc-same', 'malloc-changing', 'mutex', 'mutex-nested', 'rwlock-read']),
    ('CPU time that a program takes more, in percent', '%',
     ['sqlite3-share', 'python3-share', 'gcc-share', 'git-share', 'redis-share']),
]


def bars_of(row, results):
    """(title, value, colour) of each way with a figure."""
    for way, cell in row['ways'].items():
        if way != 'bare' and way not in HIDDEN and 'value' in cell:
            yield results['ways'][way]['title'], cell['value'], OURS.get(way, OTHERS)


def nice(value):
    return f'{value:,.0f}' if value >= 10 else f'{value:.1f}'


class Panel:
    """One chart: groups of bars from `top` downwards."""

    def __init__(self, title, unit, rows, results, top):
        self.out, self.y, self.unit = [], top, unit
        groups = [(row['title'].split(': in percent')[0], list(bars_of(row, results))) for row in rows]
        highest = max([value for _, bars in groups for _, value, _ in bars] + [10])
        # Below 1 nothing can be told apart: there the scale begins.
        self.decades = max(1, math.ceil(math.log10(highest)))
        self.text(LEFT, self.y, title, size=15, weight='bold')
        self.y += 12
        axis_top = self.y
        axis = len(self.out)
        for name, bars in groups:
            if bars:
                self.group(name, bars)
        self.out[axis:axis] = self.axis(axis_top, self.y)
        self.y += 26

    def text(self, x, y, text, size=11, anchor='start', weight='normal', fill='#222'):
        self.out.append(f'<text x="{x:.0f}" y="{y:.0f}" font-size="{size}" text-anchor="{anchor}" font-weight="{weight}" '
                        f'fill="{fill}">{escape(text)}</text>')

    def place(self, value):
        span = WIDTH - LEFT - LABEL - RIGHT
        return LEFT + LABEL + span * max(0.0, math.log10(max(value, 1))) / self.decades

    def group(self, name, bars):
        self.y += GAP + 4
        self.text(LEFT, self.y, name, size=12, weight='bold')
        self.y += 5
        for title, value, colour in bars:
            begin, end = self.place(1), max(self.place(value), self.place(1) + 2)
            ours = colour != OTHERS
            self.text(LEFT + LABEL - 8, self.y + ROW - 4, title, anchor='end', weight='bold' if ours else 'normal')
            self.out.append(f'<rect x="{begin:.0f}" y="{self.y + 1:.0f}" width="{end - begin:.0f}" height="{ROW - 3}" fill="{colour}"/>')
            self.text(end + 5, self.y + ROW - 4, f'+{nice(value)}' if value >= 0 else 'none', weight='bold' if ours else 'normal')
            self.y += ROW

    def axis(self, top, bottom):
        lines = []
        for power in range(self.decades + 1):
            x = self.place(10 ** power)
            lines.append(f'<line x1="{x:.0f}" y1="{top + 6:.0f}" x2="{x:.0f}" y2="{bottom + 2:.0f}" stroke="#e3e6ea"/>')
            lines.append(f'<text x="{x:.0f}" y="{bottom + 15:.0f}" font-size="10" text-anchor="middle" fill="#666">'
                         f'{10 ** power:,} {self.unit}</text>')
        return lines


def as_svg(results):
    """The picture as text. A row that was not measured is not there."""
    rows = {row['id']: row for row in results['rows']}
    out, y = [], 28
    for title, unit, ids in PANELS:
        there = [rows[id] for id in ids if id in rows]
        if there:
            panel = Panel(title, unit, there, results, y)
            out += panel.out
            y = panel.y + 20
    machine = results['machine']
    foot = f'{results["date"][:10]}, {machine["processor"]}, {machine["cores"]} cores, {results["system"]}; medians, logarithmic scales'
    out.append(f'<text x="{LEFT}" y="{y:.0f}" font-size="10" fill="#666">{escape(foot)}</text>')
    head = (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y + 14:.0f}" width="{WIDTH}" height="{y + 14:.0f}" '
            'font-family="DejaVu Sans, Verdana, sans-serif">')
    return '\n'.join([head, f'<rect width="{WIDTH}" height="{y + 14:.0f}" fill="#fff"/>', *out, '</svg>', ''])
