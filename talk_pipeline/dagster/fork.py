"""Begins runs as forks of a warm process, which `warm.py` is; imports nothing of what that one has in memory."""

import json
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from threading import Lock

NEEDED = (
    "dagster._cli.api",
    "talk_pipeline.dagster.build",
    "talk_pipeline.dagster.event_log",
    "talk_pipeline.dagster.launcher",
    "talk_pipeline.dagster.storage",
)
"""What every run imports, besides the definitions."""
ANSWER_SECONDS = 60.0
"""It may have to import all of it first, on a busy machine."""


class Forks:
    """A warm process: it is started when a run is asked for and there is none, and serves those that follow."""

    def __init__(self, modules: Sequence[str] = NEEDED) -> None:
        """Starts nothing yet.

        Args:
            modules: what it is to have in memory. None of them may start a thread.
        """
        self._modules = modules
        self._lock = Lock()
        self._warm: tuple[subprocess.Popen[bytes], socket.socket] | None = None

    def begin(self, home: Path, run_id: str, arguments: str) -> bool:
        """Begins a run in a process of its own; whether that was done, else it is to be begun in another way.

        Args:
            home: Dagster's, where the run shows that it has a process.
            run_id: which run.
            arguments: what `dagster api execute_run` takes.
        """
        line = json.dumps([str(home), run_id, arguments]).encode() + b"\n"
        with self._lock:
            begun = self._ask(line)
            if not begun:
                self._end()
                self._start()
            return begun

    def close(self) -> None:
        """Ends the warm process. Runs go on."""
        with self._lock:
            self._end()

    def _ask(self, line: bytes) -> bool:
        if self._warm is None:
            return False
        _, channel = self._warm
        try:
            channel.sendall(line)
            return bool(channel.recv(32))
        except OSError:
            return False  # killed, or without an answer: it is ended before the run is begun in another way

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        ours.settimeout(ANSWER_SECONDS)
        with theirs:
            place = theirs.fileno()
            command = [sys.executable, "-m", "talk_pipeline.dagster.warm", str(place), *self._modules]
            self._warm = subprocess.Popen(command, pass_fds=[place]), ours

    def _end(self) -> None:
        if self._warm is not None:
            process, channel = self._warm
            channel.close()
            process.kill()
            process.wait()
        self._warm = None
