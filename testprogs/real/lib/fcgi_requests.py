"""usage: fcgi_requests.py SOCKET SCRIPT COUNT: asks a FastCGI server for a script; prints the last line of each answer."""
import os
import socket
import struct
import sys

BEGIN, PARAMS, STDIN, STDOUT, END = 1, 4, 5, 6, 3


def record(kind, content=b''):
    return struct.pack('!BBHHBB', 1, kind, 1, len(content), 0, 0) + content


def exactly(connection, count):
    data = b''
    while len(data) < count:
        more = connection.recv(count - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def request(path, script):
    values = {'SCRIPT_FILENAME': script, 'REQUEST_METHOD': 'GET', 'QUERY_STRING': 'q=1'}
    params = b''.join(bytes([len(key), len(value)]) + key.encode() + value.encode() for key, value in values.items())
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        connection.sendall(record(BEGIN, struct.pack('!HB5x', 1, 0)) + record(PARAMS, params) + record(PARAMS) + record(STDIN))
        output = b''
        while True:
            _, kind, _, length, padding, _ = struct.unpack('!BBHHBB', exactly(connection, 8))
            content = exactly(connection, length + padding)[:length]
            if kind == STDOUT:
                output += content
            if kind == END:
                return output.decode().splitlines()[-1]


for _ in range(int(sys.argv[3])):
    print(request(sys.argv[1], os.path.abspath(sys.argv[2])))
