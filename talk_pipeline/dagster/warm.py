"""A process that has Dagster and the pipeline in memory, from which runs are forked; `fork.py` is who asks.

A run in a process of its own spends more time on importing than on its work. This one has imported already, has a
single thread and nothing open, so that a fork of it is whole. The definitions, and with them settings and flow
files, are loaded by each run anew. It reads a line a run, answers once that has a process, and ends with whoever
asks; or without an answer, once a file that it loaded is another one, as after an upgrade.
"""

import gc
import json
import os
import signal
import socket
import sys
import traceback
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path

from talk_pipeline.dagster.edited import as_they_are
from talk_pipeline.dagster.presence import present
from talk_pipeline.garbage import put_off


def serve(channel: socket.socket, modules: Iterable[str]) -> None:
    """Forks a run for each line, as long as somebody asks and a fork is whole and up to date."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # from the terminal, and meant for the runs
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # how a run ended, it says itself
    put_off()
    for module in modules:
        import_module(module)
    files = [Path(file) for one in sys.modules.values() if (file := getattr(one, "__file__", None))]
    loaded = as_they_are(files)
    gc.collect()
    gc.freeze()  # what is never looked at again stays shared with the runs
    with channel.makefile("r") as lines:
        for line in lines:
            alone = len(list(Path("/proc/self/task").iterdir())) == 1
            if not alone or loaded != as_they_are(files):
                return
            if os.fork() == 0:
                lines.close()  # or the channel stays open, and who asks does not see that nobody answers
                channel.close()
                _run(*json.loads(line))
            channel.sendall(b"begun\n")


def _run(home: str, run_id: str, arguments: str) -> None:
    """The whole life of a run's process."""
    status = 1
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        from dagster._cli.api import execute_run_command

        with present(Path(home), run_id):
            execute_run_command.main([arguments], standalone_mode=False)
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])), sys.argv[2:])
