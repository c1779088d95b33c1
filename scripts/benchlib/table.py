"""Results as text, for a terminal and for the README."""
from benchlib.search import SEARCH_WAYS
from benchlib.ways import ALLOCATION_WAYS, CHECK_WAYS, DESCRIPTOR_WAYS, HIDDEN, LOCK_WAYS, PAIR_WAYS, PROGRAM_WAYS

SECTIONS = {
    'alloc': ('Allocations', ALLOCATION_WAYS),
    'locks': ('Locks', LOCK_WAYS),
    'programs': ('Real programs', PROGRAM_WAYS),
    'checked': ('Real programs, every block checked (--set check=heap)', CHECK_WAYS),
    'pairs': ('What is opened and closed', PAIR_WAYS),
    'descriptors': ('Servers, descriptors followed', DESCRIPTOR_WAYS),
    'memory': ('Memory and files', ALLOCATION_WAYS),
    'search': ('The search for lost memory', SEARCH_WAYS),
    'instructions': ('Instructions (callgrind)', ['bare', 'exact', 'sample']),
}


def figure(value, unit, signed=False):
    """A number with as many digits as mean something, and its unit where that is not the row's."""
    size = abs(value)
    digits = 0 if size >= 100 else 1 if size >= 10 or unit == 'ns' else 2
    if unit == '% of bare' and size >= 10:
        digits = 0
    return f'{value:{"+" if signed else ""},.{digits}f}'


# Units of which the cells are differences to a bare run.
ADDED = {'ns', 'ms', 'instructions', '%', 'bytes', 'MiB'}


def cell_text(row, way, cell, spread=True):
    if cell is None:
        return ''
    if 'value' not in cell:
        return '–'
    unit = row['unit']
    if way == 'bare':
        return figure(cell['raw'], unit)
    text = figure(cell['value'], unit, signed=unit in ADDED)
    if spread and cell.get('rounds', 1) > 1:
        text += f' ±{figure(cell["spread"], unit)}'
    return text


def aim_text(row):
    aim = row.get('aim')
    if not aim:
        return ''
    sign = '≤' if aim['most'] else '≥'
    plus = '+' if row['unit'] in ADDED else ''
    return f'{sign} {plus}{aim["limit"]:.3g}' + (' (sample)' if aim['way'] == 'sample' else '')


def met_text(row):
    met = row['aim']['met'] if row.get('aim') else None
    return '' if met is None else 'yes' if met else 'no'


def columns_of(section, rows):
    """Ways that have a column: those of the section, then further libraries."""
    known = [way for way in SECTIONS[section][1] if way not in HIDDEN]
    there = [way for row in rows for way in row['ways']]
    columns = [way for way in known if way in there]
    return columns + [way for way in dict.fromkeys(there) if way not in columns and way not in HIDDEN]


def aligned(lines):
    """Columns as wide as their widest cell; the first to the left, the others to the right."""
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    for line in lines:
        yield '  '.join(cell.ljust(width) if i == 0 else cell.rjust(width)
                        for i, (cell, width) in enumerate(zip(line, widths))).rstrip()


def section_lines(results, section, spread=True):
    """The section's table, as lists of cells; titles first."""
    rows = [row for row in results['rows'] if row['section'] == section]
    columns = columns_of(section, rows)
    titles = results['ways']
    lines = [[SECTIONS[section][0], 'unit', 'aim', 'met'] + [titles[way]['title'] for way in columns]]
    for row in rows:
        cells = [cell_text(row, way, row['ways'].get(way), spread) for way in columns]
        lines.append([row['title'], ('+' if row['unit'] in ADDED else '') + row['unit'], aim_text(row), met_text(row)] + cells)
    return lines


def as_text(results):
    """The whole table, as lines."""
    for section in SECTIONS:
        if any(row['section'] == section for row in results['rows']):
            yield from aligned(section_lines(results, section))
            yield ''
    yield from remarks(results)


def remarks(results):
    """What has no figure, and why; and what the figures leave out."""
    for way in results['ways'].values():
        if way.get('missing') and way['shown']:
            yield f'{way["title"]}: {way["missing"]}'
    reasons = {}
    for row in results['rows']:
        for way, cell in row['ways'].items():
            if way != 'bare' and 'reason' in cell and not results['ways'].get(way, {}).get('missing'):
                reasons.setdefault((results['ways'][way]['title'], cell['reason']), []).append(row['id'])
    for (title, reason), ids in reasons.items():
        yield f'{title}, {", ".join(ids)}: {reason}'
    if any(row['section'] == 'programs' for row in results['rows']):
        yield ('Real programs: "whoholds exact" is all that it does, the search for lost memory at the end and the report of it included; '
               'heaptrack and "leaks=off" record, and analyse nothing, "allocations alone" as all of the peers; '
               'LSan searches and looks up no names')
