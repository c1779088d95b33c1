"""Results in the README: a table for each section, and the picture."""
import os
import shutil

from benchlib import picture, table

BEGIN, END = '<!-- bench: scripts/bench --readme writes what stands between these lines -->', '<!-- end of bench -->'
PLACE = 'testprogs/bench'


def markdown(results):
    """Lines: the tables, then what they rest on."""
    yield f'![what it costs, beside other tools]({PLACE}/results.svg)'
    yield ''
    for section in table.SECTIONS:
        lines = table.section_lines(results, section, spread=False)
        if len(lines) > 1:
            yield '| ' + ' | '.join(lines[0]) + ' |'
            yield '|---|---|---|---|' + '---:|' * (len(lines[0]) - 4)
            for line in lines[1:]:
                yield '| ' + ' | '.join(line) + ' |'
            yield ''
    yield from ('- ' + line for line in table.remarks(results))
    yield ''
    machine = results['machine']
    versions = dict.fromkeys(way['version'] for way in results['ways'].values() if way['version'] and not way['missing'])
    yield (f'{results["date"][:10]}, commit {results["commit"]}{" with changes" if results["modified"] else ""}: {machine["cores"]} cores of '
           f'{machine["processor"]}, {machine["memory_mib"] // 1024} GiB, load {machine["load"]} at the start; {results["system"]}, '
           f'{results["kernel"]}, {results["libc"]}; ' + ', '.join(versions) +
           f'. Medians of runs in turn, {results["seconds"] // 60 + 1} minutes in all.')
    if machine['load'] > 0.5:
        yield ''
        yield ('The machine was not at rest: what goes by the clock (throughput of threads, start to end) is less certain than the others, '
               'which go by CPU time.')


def write(root, results, name):
    """Puts the results into README.md between their lines, and the picture and a copy of the results beside the programs."""
    with open(f'{root}/README.md', encoding='utf-8') as file:
        text = file.read()
    if BEGIN not in text or END not in text:
        raise SystemExit('bench: README.md has no place for the results')
    before, rest = text.split(BEGIN, 1)
    after = rest.split(END, 1)[1]
    with open(f'{root}/README.md', 'w', encoding='utf-8') as file:
        file.write(before + BEGIN + '\n' + '\n'.join(markdown(results)) + '\n' + END + after)
    with open(f'{root}/{PLACE}/results.svg', 'w', encoding='utf-8') as file:
        file.write(picture.as_svg(results))
    if os.path.realpath(name) != os.path.realpath(f'{root}/{PLACE}/results.json'):
        shutil.copyfile(name, f'{root}/{PLACE}/results.json')
