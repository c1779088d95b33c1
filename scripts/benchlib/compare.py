"""Two results side by side."""
from benchlib import table


def verdict(old, new, better_is_less):
    """Which way it went, where the two are further apart than their rounds scatter; machines and hours differ by more than
    that, so it is a hint, and runs side by side (--library) are the proof."""
    apart = new['value'] - old['value']
    scatter = 3 * (old.get('spread', 0) + new.get('spread', 0)) + 0.01 * abs(old['value'])
    if abs(apart) <= scatter:
        return ''
    return 'better' if (apart < 0) == better_is_less else 'worse'


def change(old, new):
    if not old['value']:
        return ''
    return f'{100 * (new["value"] - old["value"]) / abs(old["value"]):+.0f} %'


def as_text(old, new):
    """Lines of a table of all cells that both results have."""
    for name, results in (('old', old), ('new', new)):
        quick = ', --quick' if results.get('quick') else ''
        yield f'{name}: {results["date"]}, commit {results["commit"]}{" with changes" if results["modified"] else ""}, ' \
              f'{results["machine"]["processor"]}, {results["machine"]["cores"]} cores{quick}'
    if old['machine']['processor'] != new['machine']['processor']:
        yield 'These are different machines: compare ratios, not times.'
    yield ''
    before = {row['id']: row for row in old['rows']}
    lines = [['row', 'way', 'unit', 'old', 'new', 'change', '']]
    for row in new['rows']:
        for way, cell in row['ways'].items():
            other = before.get(row['id'], {}).get('ways', {}).get(way, {})
            if way == 'bare' or 'value' not in cell or 'value' not in other:
                continue
            lines.append([row['id'], way, row['unit'], table.cell_text(row, way, other), table.cell_text(row, way, cell),
                          change(other, cell), verdict(other, cell, row['unit'] != '% of bare')])
    yield from table.aligned(lines)
