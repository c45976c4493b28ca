"""The daemon beside both systems, on a data folder of its own, as it runs with nobody at hand."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import dagster as dg

from talk_pipeline.dagster.instance import prepare_home
from talk_pipeline.dagster.presence import process_of
from talk_pipeline.dagster.sensors import UNDER_WAY
from talk_pipeline_tests.pipeline.records import customer
from talk_pipeline_tests.world import World

ROOT = Path(__file__).parent.parent
SLOW = 180.0
"""Enough for a daemon or a run to start on a busy machine, and for an edit to arrive."""
HANG = {"match": {"method": "PATCH", "path": "customers"}, "fault": {"delay": 60}, "times": 1}


class Automation:
    """The daemon on a data folder of its own, with one customer on both sides, seen from outside."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.buyer = str(world.shop.post("customers", customer())["id"])
        self.home = prepare_home(world.data)
        self.instance = dg.DagsterInstance.from_config(str(self.home))

    @contextmanager
    def daemon(self) -> Iterator[subprocess.Popen[bytes]]:
        """The daemon and all it starts, in a session of their own, as long as the block lasts."""
        daemon = [sys.executable, "-m", "talk_pipeline.dagster.daemon"]
        command = [*daemon, "run", "-w", str(ROOT / "workspace.yaml")]
        environment = os.environ | {"DAGSTER_HOME": str(self.home)}
        with (
            (self.world.data / "daemon.log").open("ab") as log,
            subprocess.Popen(
                command, env=environment, stdout=log, stderr=log, start_new_session=True
            ) as process,
        ):
            try:
                yield process
            finally:
                power_cut(process)

    def command(self, *words: str) -> subprocess.Popen[bytes]:
        """The command line in a process of its own."""
        with (self.world.data / "command.log").open("ab") as log:
            return subprocess.Popen([sys.executable, "-m", "talk_pipeline", *words], stdout=log, stderr=log)

    def runs(self, *statuses: dg.DagsterRunStatus) -> set[str]:
        return {run.run_id for run in self.instance.get_runs(dg.RunsFilter(statuses=list(statuses)))}

    def wait(self, what: str, condition: Callable[[], Any], *, seconds: float = SLOW) -> float:
        """Until it is so; how long that took."""
        started = time.monotonic()
        while not condition():
            waited = time.monotonic() - started
            assert waited < seconds, f"not within {seconds} s: {what}\n{self._log()}"
            time.sleep(0.2)
        return time.monotonic() - started

    def edit(self, website: str) -> None:
        self.world.shop.patch("customers", self.buyer, {"website": website})

    def arrived(self, website: str) -> bool:
        """Whether the only customer of Business Central has it."""
        return [row["website"] for row in self.world.bc.all("customers").values()] == [website]

    def shown(self, website: str) -> bool:
        """Whether the shop shows it."""
        return bool(self.world.shop.all("customers")[self.buyer]["website"] == website)

    def quiet(self) -> bool:
        """Whether nothing is under way or over its time."""
        return not self.runs(*UNDER_WAY)

    def hangs(self) -> bool:
        """Whether the write that is to hang does."""
        return any(rule["fired"] for rule in self.world.bc.rules())

    def stuck(self, *, at: str) -> int:
        """Lets the next write hang, edits, and waits for a run that writes; its process."""
        self.world.bc.no_faults()
        self.world.bc.faults(HANG)
        self.edit(at)
        self.wait("a write that hangs", self.hangs)
        (run,) = self.runs(dg.DagsterRunStatus.STARTED)
        process = process_of(self.home, run)
        assert process is not None
        return process

    def _log(self) -> str:
        runs = [(run.run_id[:8], run.status.value, run.tags) for run in self.instance.get_runs()]
        logs = [file.read_text()[-3000:] for file in self.world.data.glob("*.log")]
        return "\n".join(map(str, [*runs, *logs]))


def power_cut(process: subprocess.Popen[bytes]) -> None:
    """Kills the daemon, its code server and all their runs at once, so that nobody can tell anybody anything."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
