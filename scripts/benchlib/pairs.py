"""What following pairs costs: what is opened and closed, and servers with their descriptors followed."""
import os
import shutil
import signal
import socket
import time

from benchlib import measure
from benchlib.programs import Redis
from benchlib.rows import Aim, Operation, Row
from benchlib.ways import DESCRIPTOR_WAYS, PAIR_WAYS

SETTLE_MS = 150  # until the reporter thread has started, as programs that run for long have it


class Pair(Operation):
    """Nanoseconds of CPU time that an open and a close take more than with all the rest of whoholds, but no pairs."""
    rounds = 9

    def __init__(self, id, title, mode, count, aim):
        super().__init__(id, 'pairs', title, PAIR_WAYS, 'pair_costs', mode, count, aim)

    def once(self, bench, way):
        count = max(2000, self.count // (10 if bench.quick else 1))
        argv = way.argv(self.program, self.mode, count, SETTLE_MS)
        return measure.number(bench.run(way, argv).output, 'ns')


class Server(Row):
    """CPU time of a server, in percent more: whoholds than bare, and with descriptors followed than without."""
    rounds = 9
    needs = ()

    def __init__(self, id, title):
        super().__init__(id, 'descriptors', title, '%', DESCRIPTOR_WAYS, Aim(3, way='descriptors'))

    def once(self, bench, way):
        """CPU seconds for what is the same each time."""
        raise NotImplementedError

    def measure(self, bench, ways):
        lacking = [command for command in self.needs if not shutil.which(command, path=f'{bench.env["PATH"]}:/usr/sbin')]
        if lacking:
            return {way.id: {'reason': f'{" and ".join(lacking)} not installed'} for way in ways}
        results = measure.in_turn(ways, bench.rounds(self), lambda way: self.once(bench, way), seconds=90)
        return self.cells_of(ways, results, lambda value, base: 100 * (value - base) / base, raw=lambda value: 1e6 * value)


class RedisSockets(Server):
    """A request at a time on each of 50 connections, as redis-benchmark does by itself."""
    needs = ('redis-server', 'redis-benchmark')

    def once(self, bench, way):
        requests = 5000 if bench.quick else 60000
        run = Redis('redis-sockets', '').serve(bench, way, ['-c', '50', '-n', str(requests), '-t', 'get'])
        return run.cpu_s / requests


class Nginx(Server):
    """wrk asks for a small file over 20 connections; nginx opens and closes the file each time."""
    needs = ('nginx', 'wrk')

    def once(self, bench, way):
        folder = f'{bench.scratch}/nginx'
        os.makedirs(f'{folder}/www')
        with open(f'{folder}/www/page', 'w', encoding='utf-8') as page:
            page.write('x' * 1000)
        with socket.socket() as probe:
            probe.bind(('127.0.0.1', 0))
            port = probe.getsockname()[1]
        with open(f'{folder}/nginx.conf', 'w', encoding='utf-8') as config:
            config.write(f'daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log crit;\n'
                         'events { worker_connections 256; }\n'
                         f'http {{ access_log off; keepalive_requests 10000000; client_body_temp_path {folder}/b; '
                         f'proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; '
                         f'scgi_temp_path {folder}/s;\nserver {{ listen 127.0.0.1:{port}; root {folder}/www; }} }}\n')
        command = shutil.which('nginx', path=f'{bench.env["PATH"]}:/usr/sbin')
        server = measure.start(way.argv(command, '-p', folder, '-c', f'{folder}/nginx.conf'), {**bench.env, **way.env})
        try:
            self.await_port(port, server)
            seconds = 1 if bench.quick else 2
            done = measure.run(['wrk', '-t', '1', '-c', '20', '-d', f'{seconds}s', f'http://127.0.0.1:{port}/page'], bench.env,
                               bench.scratch, timeout=60, alone=False)
            os.kill(server, signal.SIGQUIT)
            status, usage = measure.finish(server, 60)
            server = None
            if status:
                raise measure.Failed(f'nginx ended with {status}')
            measure.wait_for_orphans()
            return measure.cpu_seconds(usage) / self.requests(done.output)
        finally:
            if server:
                measure.end(server)
                os.waitpid(server, 0)
            bench.clean()

    @staticmethod
    def requests(output):
        """Of wrk's line "  12345 requests in 2.00s, 15.00MB read"."""
        for line in output.splitlines():
            words = line.split()
            if words[1:3] == ['requests', 'in'] and int(words[0]):
                return int(words[0])
        raise measure.Failed('wrk had no answer')

    @staticmethod
    def await_port(port, server):
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                socket.create_connection(('127.0.0.1', port), 5).close()
                return
            except OSError:
                pass
            if os.waitid(os.P_PID, server, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                break
            time.sleep(0.01)
        raise measure.Failed('nginx does not answer')


def pair_rows():
    return [
        Pair('pair-configured', 'a pair of a config file', 'counter', 1000000, Aim(80, way='pairs')),
        Pair('pair-stream', 'fmemopen+fclose', 'stream', 500000, Aim(40, way='pairs')),
        Pair('pair-statement', 'sqlite3_step+sqlite3_reset', 'statement', 500000, Aim(40, way='pairs')),
        Pair('pair-directory', 'opendir+closedir', 'directory', 50000, Aim(40, way='pairs')),
        Pair('pair-descriptor', 'eventfd+close (descriptors=on)', 'descriptor', 100000, None),
        Pair('pair-beside', 'a call that is in no pair, of the same library', 'beside', 5000000, Aim(1, way='pairs')),
        RedisSockets('redis-sockets', 'redis-server under redis-benchmark, 50 connections: CPU time a request (bare: µs)'),
        Nginx('nginx-sockets', 'nginx under wrk, 20 connections: CPU time a request (bare: µs)'),
    ]
