"""A server that answers as a test wants, and remembers what it was asked."""

import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat


@dataclass(frozen=True)
class Asked:
    """One request as it arrived; names of headers in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    at: float

    @property
    def path(self) -> str:
        """Without the query."""
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        """What the query says, the last of each name."""
        return {name: values[-1] for name, values in parse_qs(urlsplit(self.target).query).items()}

    @property
    def form(self) -> dict[str, str]:
        """What a form says, the last of each name."""
        return {name: values[-1] for name, values in parse_qs(self.body.decode()).items()}

    def json(self) -> Any:
        """What a JSON body says."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """One answer.

    Attributes:
        body: text or bytes go as they are, anything else as JSON.
        seconds: how long it takes.
        trickle: seconds between two bytes of the body.
        dropped: the line is closed instead.
    """

    status: int = 200
    body: Any = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    trickle: float = 0.0
    dropped: bool = False

    @property
    def content(self) -> bytes:
        """The body as it goes."""
        if isinstance(self.body, bytes):
            return self.body
        return (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode()


DROPPED = Reply(dropped=True)
Answers = Callable[[Asked], Reply]


class Answering:
    """Answers what each path was told to: one reply after the other, and the last one from then on.

    Attributes:
        asked: every request, in the order in which they came.
        most_at_once: how many were under way at the same time, at most.
    """

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.most_at_once = 0
        self._under_way = 0
        self._replies: dict[str, list[Reply] | Answers] = {}
        self._alone = threading.Lock()
        self._closing = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.host = f"127.0.0.1:{self._server.server_port}"
        self.url = f"http://{self.host}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def on(self, path: str, *replies: Reply) -> None:
        """What a path answers, one after the other."""
        self._replies[path] = list(replies)

    def answer(self, answers: Answers) -> None:
        """What every path answers that was told nothing of its own."""
        self._replies[""] = answers

    def asked_at(self, path: str) -> list[Asked]:
        """The requests for one path."""
        return [one for one in self.asked if one.path == path]

    def encrypt(self, certificate: Path) -> None:
        """From now on it speaks TLS, by a key and a certificate of its own, which are put into this file."""
        key = ec.generate_private_key(ec.SECP256R1())
        us, today = x509.Name([]), datetime.now(UTC)
        signed = (
            x509.CertificateBuilder(us, us, key.public_key(), x509.random_serial_number())
            .not_valid_before(today - timedelta(days=1))
            .not_valid_after(today + timedelta(days=1))
            .add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=True
            )
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        form = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        certificate.write_bytes(key.private_bytes(*form) + signed.public_bytes(Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"https://{self.host}"

    def close(self) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _take(self, asked: Asked) -> Reply:
        with self._alone:
            self.asked.append(asked)
            told = self._replies.get(asked.path, self._replies.get("", []))
            if callable(told):
                return told(asked)
            if not told:
                return Reply(404)
            return told.pop(0) if len(told) > 1 else told[0]

    @contextmanager
    def _counted(self) -> Iterator[None]:
        with self._alone:
            self._under_way += 1
            self.most_at_once = max(self.most_at_once, self._under_way)
        try:
            yield
        finally:
            with self._alone:
                self._under_way -= 1

    def _handler(answering) -> type[BaseHTTPRequestHandler]:  # `self` is the handler below
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # head and body leave together: else the body waits 40 ms for the head's acknowledgement
            wbufsize = -1

            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                with answering._counted():
                    reply = answering._take(Asked(self.command, self.path, headers, body, time.monotonic()))
                    if reply.seconds:
                        answering._closing.wait(reply.seconds)
                if reply.dropped:
                    self.close_connection = True
                    return
                self.send_response_only(reply.status)
                for name, value in {"Content-Length": str(len(reply.content)), **reply.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                if not reply.trickle:
                    self.wfile.write(reply.content)
                    return
                with suppress(OSError):  # nobody waits any more
                    for at in range(len(reply.content)):
                        self.wfile.write(reply.content[at : at + 1])
                        self.wfile.flush()
                        answering._closing.wait(reply.trickle)

            do_POST = do_PATCH = do_PUT = do_DELETE = do_GET

            def log_message(self, *_args: Any) -> None:
                pass

        return Handler


@contextmanager
def answering() -> Iterator[Answering]:
    """A server for as long as the block works."""
    server = Answering()
    try:
        yield server
    finally:
        server.close()
