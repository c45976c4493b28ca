"""Both systems of many companies, in one process: prints the environment of each, and serves until it is ended."""

import json
import sys
import threading
from contextlib import ExitStack

from talk_pipeline.sandbox.server import Sandbox


def main(count: int, size: int) -> None:
    with ExitStack() as stack:
        opened = [stack.enter_context(Sandbox(size=size, seed=at + 1)) for at in range(count)]
        print(json.dumps([one.environment() for one in opened]), flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
