"""Servers that tell of themselves and do nothing else: one too old, one node of a cluster."""

import contextlib
import socketserver
import threading
from collections.abc import Iterator
from io import BufferedIOBase
from pathlib import Path

OLD = (
    b"# Server\r\nredis_version:6.2.14\r\nrun_id:" + b"6" * 40 + b"\r\nprocess_id:62\r\n"
    b"# Memory\r\nmaxmemory:0\r\nmaxmemory_policy:noeviction\r\n"
    b"# Persistence\r\naof_enabled:1\r\n# Replication\r\nrole:master\r\n"
)


NODE = OLD.replace(b"6.2.14", b"7.4.1") + b"# Cluster\r\ncluster_enabled:1\r\n"


class _Talk(socketserver.StreamRequestHandler):
    server: "_Server"

    def handle(self) -> None:
        while command := _command(self.rfile):
            match command[0].upper():
                case b"INFO":
                    told = self.server.told
                    self.wfile.write(b"$%d\r\n%s\r\n" % (len(told), told))
                case b"CONFIG":
                    self.wfile.write(b"*2\r\n$11\r\nappendfsync\r\n$6\r\nalways\r\n")
                case b"PING":
                    self.wfile.write(b"+PONG\r\n")
                case _:
                    self.wfile.write(b"-ERR unknown command\r\n")


def _command(line: BufferedIOBase) -> list[bytes]:
    """One array of texts, as every client sends them; empty when the client has gone."""
    head = line.readline()
    words = []
    for _ in range(int(head[1:] or 0)):
        size = int(line.readline()[1:])
        words.append(line.read(size + 2)[:-2])
    return words


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, path: str, told: bytes) -> None:
        self.told = told
        super().__init__(path, _Talk)


@contextlib.contextmanager
def old_server(folder: Path, told: bytes = OLD) -> Iterator[str]:
    """Its URL, while it runs. told: its answer to INFO."""
    path = folder / "old.sock"
    with _Server(str(path), told) as one:
        thread = threading.Thread(target=one.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"unix://{path}"
        finally:
            one.shutdown()
            thread.join()
