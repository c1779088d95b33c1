"""usage: dns_queries.py PORT: asks the server there for the address of a.x, again and again, and prints "ok"."""
import contextlib
import socket
import sys

HEADER = b"\x12\x34" b"\x01\x00" b"\x00\x01\x00\x00\x00\x00\x00\x00"  # id, recursion desired, one question
QUESTION = b"\x01a\x01x\x00" b"\x00\x01" b"\x00\x01"  # a.x, A, IN
ADDRESS = bytes([10, 0, 0, 1])


def ask(client, tries):
    """Its answer; a server that is just starting is asked again, and an answer that was lost."""
    for _ in range(tries):
        client.sendto(HEADER + QUESTION, ("127.0.0.1", int(sys.argv[1])))
        with contextlib.suppress(TimeoutError):
            return client.recv(500)
    sys.exit("no answer")


with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
    udp.settimeout(2)
    for _ in range(3000):
        if not ask(udp, 30).endswith(ADDRESS):
            sys.exit("another answer")
print("ok")
