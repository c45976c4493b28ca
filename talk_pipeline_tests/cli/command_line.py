"""The command line, in this process or in one of its own."""

import os
import subprocess
import sys
from dataclasses import dataclass

from typer.testing import CliRunner

from talk_pipeline.cli.main import app


@dataclass(frozen=True, slots=True)
class Done:
    """What a command left behind."""

    returncode: int
    stdout: str
    stderr: str


def run(*arguments: str, **environment: str) -> Done:
    """A command in this process, which has imported already what it needs; the log is not in what it prints."""
    done = CliRunner().invoke(app, list(arguments), env=environment)
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return Done(done.exit_code, done.stdout, done.stderr)


def start(*arguments: str, **environment: str) -> Done:
    """A command in a process of its own, as a shell starts it."""
    done = subprocess.run(
        [sys.executable, "-m", "talk_pipeline", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, **environment},
    )
    return Done(done.returncode, done.stdout, done.stderr)
