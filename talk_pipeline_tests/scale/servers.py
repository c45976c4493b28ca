"""A Postgres and a Redis of the test's own, on ports of this machine alone; each may be restarted."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Protocol

READY_SECONDS = 30


class Server(Protocol):
    """A server that can be stopped and started again at the same address."""

    port: int

    def start(self) -> None: ...

    def stop(self) -> None: ...


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


class Redis:
    """What it holds is on its disk, as in any deployment that keeps tasks in it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.folder, self.port = folder, free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        where = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder)]
        kept = ["--save", "", "--appendonly", "yes", "--logfile", str(self.folder / "log")]
        self._process = subprocess.Popen(["redis-server", *where, *kept])
        _await(self.port)

    def stop(self) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait(READY_SECONDS)
            self._process = None


class Postgres:
    """A cluster that any local client may use; no server runs as root."""

    def __init__(self) -> None:
        self.folder, self.port = Path(tempfile.mkdtemp(prefix="postgres-")), free_port()
        self._bin = max(Path("/usr/lib/postgresql").glob("*/bin"))
        self._as: list[str] = []
        if not os.getuid():
            self._as = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
            shutil.chown(self.folder, "postgres", "postgres")
        cluster = str(self.folder / "cluster")
        self._run("initdb", "--pgdata", cluster, "--username", "dagster", "--auth", "trust", "--no-sync")

    def start(self) -> None:
        where = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
        logged = ["--log", str(self.folder / "log")]
        self._run("pg_ctl", "start", "--wait", "--pgdata", str(self.folder / "cluster"), *logged, "-o", where)

    def stop(self) -> None:
        if (self.folder / "cluster" / "postmaster.pid").exists():
            self._run("pg_ctl", "stop", "--wait", "--mode", "fast", "--pgdata", str(self.folder / "cluster"))

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder)

    def _run(self, program: str, *arguments: str) -> None:
        command = [*self._as, str(self._bin / program), *arguments]
        done = subprocess.run(
            command, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False
        )
        assert done.returncode == 0, done.stderr.decode()


def ended(process: subprocess.Popen[bytes], *, by: signal.Signals = signal.SIGTERM) -> None:
    """Ends a process, and what it left behind of all that it started."""
    if process.poll() is None:
        process.send_signal(by)
        with suppress(subprocess.TimeoutExpired):
            process.wait(READY_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _await(port: int) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            assert time.monotonic() < deadline, f"nothing answers on port {port}"
            time.sleep(0.05)
        else:
            return
