"""A web server on this machine, with the habits of others: they break off, refuse, start over."""

import hashlib
import re
import socket
import struct
import threading
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HANGS_UP = -1


@dataclass
class Served:
    """A file of the site.

    Attributes:
        content: Its bytes.
        etag: Of its present state, "" for none; it changes with the content unless it is set.
        last_modified: The same as a date.
        ranges: Whether parts of it can be had.
        obeys_if_range: Whether a part is refused where the file has changed.
        says_size: Whether its size is told before it is sent.
        headers: Further ones.
        cuts: For the next answers, after how many bytes of the body the connection breaks.
        statuses: For the next answers, the status that is sent instead of the file; HANGS_UP sends
            nothing at all.
        resets: Whether a connection breaks with an error instead of just ending.
        shift: By how many bytes a part starts too late.
        surplus: Bytes that it sends behind the end of a part.
    """

    content: bytes
    etag: str | None = None
    last_modified: str = ""
    ranges: bool = True
    obeys_if_range: bool = True
    says_size: bool = True
    headers: dict[str, str] = field(default_factory=dict)
    cuts: deque[int] = field(default_factory=deque)
    statuses: deque[int] = field(default_factory=deque)
    resets: bool = False
    shift: int = 0
    surplus: bytes = b""

    def validator(self):
        made = f'"{hashlib.sha256(self.content).hexdigest()[:20]}"'
        return made if self.etag is None else self.etag


class Site:
    """The server, with its files by path.

    `asked` lists what was asked for, (path, range); `sent` counts the bytes that it gave; `name` is
    what it calls itself.
    """

    def __init__(self):
        self.files = {}
        self.asked = []
        self.sent = 0
        self.name = "nginx"
        # What a body waits for after its first half, so that a test may come in between.
        self.half_way = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def serve(self, path, content, **habits):
        """Put a file at a path, and return its address and itself."""
        self.files[path] = Served(content, **habits)
        return f"{self.address}{path}", self.files[path]

    def close(self):
        self.go_on.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(site):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                site.asked.append((self.path, self.headers.get("Range")))
                served = site.files.get(self.path)
                status = served.statuses.popleft() if served and served.statuses else None
                if status == HANGS_UP:
                    self.close_connection = True
                elif served is None or status:
                    self.close_connection = True
                    self.send_response(status or 404)
                    self.send_header("Content-Length", "0")
                    if status == 503:
                        self.send_header("Retry-After", "0")
                    self.end_headers()
                else:
                    self.answer(served)

            def answer(self, served):
                total, start = len(served.content), self.start(served)
                surplus = b"" if start is None else served.surplus
                start = start + served.shift if start else start
                if start is not None and start >= total:
                    self.send_response(416)
                    self.send_header("Content-Range", f"bytes */{total}")
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                body = served.content[start or 0 :] + surplus
                self.send_response(200 if start is None else 206)
                if start is not None:
                    self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
                if served.says_size:
                    self.send_header("Content-Length", str(len(body)))
                for key, value in self.details(served):
                    self.send_header(key, value)
                self.end_headers()
                self.send(served, body)

            def start(self, served):
                asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
                condition = self.headers.get("If-Range")
                known = {served.validator(), served.last_modified}
                changed = condition and served.obeys_if_range and condition not in known
                return int(asked[1]) if asked and served.ranges and not changed else None

            def details(self, served):
                if served.validator():
                    yield "ETag", served.validator()
                if served.last_modified:
                    yield "Last-Modified", served.last_modified
                yield from served.headers.items()

            def send(self, served, body):
                cut = served.cuts.popleft() if served.cuts else None
                if cut is not None or not served.says_size:
                    self.close_connection = True
                body = body[:cut]
                for piece in (body[: len(body) // 2], body[len(body) // 2 :]):
                    self.wfile.write(piece)
                    self.wfile.flush()
                    site.sent += len(piece)
                    site.half_way.set()
                    site.go_on.wait(30)
                if cut is not None and served.resets:
                    # At once, and what is on its way is lost.
                    linger = struct.pack("ii", 1, 0)
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                    self.connection.close()

            def version_string(self):
                return site.name

            def handle(self):
                try:
                    super().handle()
                except (BrokenPipeError, ConnectionResetError):
                    # Whoever asked was killed.
                    self.close_connection = True

            def finish(self):
                try:
                    super().finish()
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

            def log_message(self, *_):
                pass

        return Handler
