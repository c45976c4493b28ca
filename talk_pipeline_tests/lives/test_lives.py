"""A few lives with every build; `make lives LIVES=1000` plays many."""

import subprocess
import sys

import dagster as dg
import pytest

from talk_pipeline_tests.lives.stage import EVENTS, lived
from talk_pipeline_tests.proof.counts import COUNTS


def test_every_order_comes_out_line_by_line_or_is_named(instance: dg.DagsterInstance) -> None:
    with COUNTS.proving("scenarios"):
        came = lived(4, seed=1, instance=instance)
        assert came.wrong == []
    assert came.fewest >= EVENTS


@pytest.mark.slow
def test_some_more_come_out_so_by_the_command() -> None:
    with COUNTS.proving("scenarios"):
        command = [sys.executable, "-m", "talk_pipeline_tests.lives", "--lives", "12", "--seed", "2"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "12 lives" in done.stdout
        assert " 0 wrong\n" in done.stdout
