"""Python's looking for garbage, put off while much is imported."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def put_off() -> Iterator[None]:
    """Looks for none inside; of what is there afterwards none is looked at any more.

    What is imported stays. To look among it takes part of each run, and when the process ends it is looked through
    several times.
    """
    looked = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.set_threshold(50_000)  # what a run makes goes by itself, nearly all of it
        if looked:
            gc.enable()
