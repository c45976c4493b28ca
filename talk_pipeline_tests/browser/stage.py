"""The stage: a sandbox with its seed, a first synchronization, and Dagster with the sensors on, as by `make up`."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from dotenv import dotenv_values

from talk_pipeline.engine.state.database import State

ROOT = Path(__file__).parents[2]
SECONDS_TO_START = 120

_SCRIPT = """
set -e
exec 4<&0
{ cat <&4 >/dev/null; kill 0; } &
.venv/bin/talk-pipeline sync
.venv/bin/talk-pipeline checklist --format html --out checklist.html
.venv/bin/talk-pipeline checklist --format json --out checklist.json
.venv/bin/talk-pipeline checklist --format html --without-results --out specification.html
exec scripts/up
"""
"""All of it ends with whoever started it, whose end of the pipe is closed then.

The documents are those of the first run: the sensors' runs are each of what changed alone.
"""


@dataclass(frozen=True)
class Stage:
    """What was started.

    Attributes:
        folder: where it was started, with the documents, and the pipeline's state in `data/`.
        ui: the address of Dagster's UI.
        environment: how the two systems are reached.
    """

    folder: Path
    ui: str
    environment: dict[str, str]

    @property
    def shop(self) -> str:
        """The pages of the shop."""
        return f"{self.environment['CUSTOMWEBSHOP_URL']}/_sandbox/pages"

    @property
    def businesscentral(self) -> str:
        """The pages of Business Central."""
        return f"{self.environment['BUSINESSCENTRAL_URL'].split('/v2.0/')[0]}/_sandbox/pages"

    def rows(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """What the pipeline's database holds, between the runs that have it open."""
        with State(self.folder / "data").once() as db:
            return db.execute(query, list(parameters)).fetchall()


@contextmanager
def raised(folder: Path) -> Iterator[Stage]:
    """The stage in an empty folder, until the end of the block."""
    for name in (".venv", "scripts", "workspace.yaml"):  # and no `.env`, which may name real systems
        (folder / name).symlink_to(ROOT / name)
    port = _free_port()
    environment = _environment(folder) | {"PORT": str(port)}
    with (folder / "log.txt").open("wb") as log:
        process = subprocess.Popen(
            ["scripts/with-sandbox", "bash", "-c", _SCRIPT],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,  # so that all of it can be ended, with the runs it has started
        )
    ui = f"http://127.0.0.1:{port}"
    try:
        _wait_for(ui, process, folder / "log.txt")
        told = dotenv_values(folder / "data" / "sandbox" / "environment.sh")
        yield Stage(folder, ui, {name: value for name, value in told.items() if value})
    finally:
        assert process.stdin is not None
        process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=20)
        with suppress(ProcessLookupError):  # nobody is left
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _environment(folder: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(folder), "TALK_DATA_DIR": str(folder / "data")}


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _wait_for(ui: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Until the UI knows the assets."""
    asked = {"query": "{ assetNodes { id } }"}
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline and process.poll() is None:
        try:
            answer = httpx.post(f"{ui}/graphql", json=asked, timeout=30, trust_env=False)
            if answer.is_success and answer.json()["data"]["assetNodes"]:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.3)
    raise AssertionError(f"the stage did not start:\n{log.read_text()[-3000:]}")
