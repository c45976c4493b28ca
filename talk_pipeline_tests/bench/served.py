"""Both systems in a process of their own, so that what is measured here is the pipeline alone."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager


@contextmanager
def served() -> Iterator[Mapping[str, str]]:
    """Both systems, empty, as long as the block lasts; the environment that points at them."""
    command = [sys.executable, "-m", "talk_pipeline", "sandbox", "--size", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as serving:
        assert serving.stdout
        told = iter(serving.stdout.readline, "SANDBOX_READY=1\n")
        try:
            yield dict(one.rstrip().split("=", 1) for one in told)
        finally:
            serving.terminate()
