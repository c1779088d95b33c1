"""JSON back and forth, for scripts/bench: many small objects of all sizes."""
import json
import random
import sys


def documents(count):
    source = random.Random(7)
    return [{'id': i, 'name': f'item {i}', 'tags': [f't{source.randrange(5000)}' for _ in range(8)],
             'nested': {'x': source.random(), 'list': list(range(i % 20))}} for i in range(count)]


def main():
    items = documents(4000)
    for _ in range(int(sys.argv[1]) if len(sys.argv) > 1 else 3):
        text = json.dumps(items, sort_keys=True)
        items = json.loads(text)
    print(len(text))


if __name__ == '__main__':
    main()
