"""JSON, threads, subprocess and multiprocessing, as Python programs use them. Prints the same every time."""
import collections
import concurrent.futures
import hashlib
import json
import multiprocessing
import queue
import random
import re
import subprocess
import sys
import threading


def documents(count):
    source = random.Random(7)
    return [{"id": i, "name": f"item {i}", "tags": [f"t{source.randrange(50)}" for _ in range(8)],
             "nested": {"x": source.random(), "list": list(range(i % 20))}} for i in range(count)]


def digest(chunk):
    return hashlib.sha256(json.dumps(chunk, sort_keys=True).encode()).hexdigest()


def threads(items):
    work, done, lock = queue.Queue(maxsize=10), collections.Counter(), threading.Lock()

    def worker():
        while (item := work.get()) is not None:
            with lock:
                done.update(item["tags"])

    pool = [threading.Thread(target=worker, name=f"worker-{i}") for i in range(4)]
    for thread in pool:
        thread.start()
    for item in items:
        work.put(item)
    for _ in pool:
        work.put(None)
    for thread in pool:
        thread.join()
    return sum(done.values()), done.most_common(1)[0][1]


def main():
    items = documents(4000)
    text = json.dumps(items)
    again = json.loads(text)
    print("json", len(text), again == items, digest(items)[:16])
    print("threads", *threads(items))
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        print("executor", hashlib.md5("".join(pool.map(digest, (items[i::16] for i in range(16)))).encode()).hexdigest())
    outputs = [subprocess.run(["sh", "-c", f"echo {i} | sed s/^/line-/"], capture_output=True, text=True, check=True).stdout
               for i in range(10)]
    print("subprocess", "".join(outputs).split())
    piped = subprocess.run([sys.executable, "-c", "import sys; print(len(sys.stdin.read()))"], input=text, text=True,
                           capture_output=True, check=True)
    print("python child", piped.stdout.strip())
    for method in ("fork", "spawn"):
        with multiprocessing.get_context(method).Pool(2) as pool:
            print(method, hashlib.md5("".join(pool.map(digest, [items[i::8] for i in range(8)])).encode()).hexdigest())
    print("regex", len(re.findall(r'"t(\d+)"', text)))


if __name__ == "__main__":
    main()
