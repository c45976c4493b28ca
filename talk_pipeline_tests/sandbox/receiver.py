"""A small HTTP server that takes what the sandbox sends out."""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec

Record = dict[str, Any]


class Receiver:
    """Answers deliveries as told, and remembers them.

    Attributes:
        deliveries: headers and body of each.
        handshakes: method of each validation call.
        statuses: what the next deliveries are answered with; 200 once they run out.
        echo: whether validation calls get their token back.
    """

    def __init__(self) -> None:
        self.deliveries: list[tuple[dict[str, str], bytes]] = []
        self.handshakes: list[str] = []
        self.statuses: list[int] = []
        self.echo = True
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def documents(self, count: int = 1) -> list[Record]:
        """What was delivered, once so many deliveries came."""
        deadline = time.monotonic() + 5
        while len(self.deliveries) < count and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.05)  # time for one too many
        return [msgspec.json.decode(body) for _, body in self.deliveries]

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()

    def _handler(receiver) -> type[BaseHTTPRequestHandler]:  # `self` is the handler below
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                token = parse_qs(urlsplit(self.path).query).get("validationToken")
                if token:
                    receiver.handshakes.append(self.command)
                    self._answer(200, (token[0] if receiver.echo else "other").encode())
                else:
                    receiver.deliveries.append((dict(self.headers.items()), body))
                    self._answer(receiver.statuses.pop(0) if receiver.statuses else 200, b"")

            do_GET = do_POST

            def _answer(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_args: Any) -> None:
                pass

        return Handler
