"""Whether this process was asked to end, and how whatever is under way ends then.

A signal while a run works is kept in mind instead of breaking in: nothing new is begun, the requests under way may
finish, and their outcomes are put on disk. What takes longer than a few seconds is left, and looked up by the next
run, as after a crash.
"""

import asyncio
import signal
import threading
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn, TypeVar

GRACE_SECONDS = 5.0
LOOK_SECONDS = 0.2

T = TypeVar("T")


class StoppedError(RuntimeError):
    """Somebody asked the run to end."""

    def __init__(self) -> None:
        super().__init__("stopped by a signal")


_requested_at: list[float] = []
"""When this process was asked to end: signals concern it as a whole."""


def stop_requested() -> bool:
    """Whether to end."""
    return bool(_requested_at)


def go_on() -> None:
    """Called before anything is begun that a later run can do as well.

    Raises:
        StoppedError: it is left to a later run.
    """
    if stop_requested():
        raise StoppedError


@contextmanager
def interruptible() -> Iterator[None]:
    """A signal breaks into the block, also into a query, of which DuckDB makes an error of its own.

    Whoever goes on with the next after an error asks `go_on` first.
    """
    numbers = [signal.SIGTERM] + [signal.SIGINT] * (signal.getsignal(signal.SIGINT) is not signal.SIG_IGN)
    with _hearing(numbers, _interrupt):
        yield


async def bounded(work: Coroutine[Any, Any, T]) -> T:
    """The result of what may finish once a stop was asked for, if it does so soon.

    Raises:
        StoppedError: it did not.
    """
    task = asyncio.ensure_future(work)
    try:
        while not (await asyncio.wait({task}, timeout=LOOK_SECONDS))[0]:
            if stop_requested() and time.monotonic() - _requested_at[0] > GRACE_SECONDS:
                raise StoppedError
        return task.result()
    finally:
        task.cancel()


@contextmanager
def listening() -> Iterator[None]:
    """Signals are kept in mind while the block works; on the main thread, where alone they arrive.

    Raises:
        StoppedError: a stop was asked for meanwhile, however the block ended.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    with _hearing((signal.SIGINT, signal.SIGTERM), _keep):
        yield
        go_on()


@contextmanager
def _hearing(numbers: Iterable[int], by: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """These signals go to a handler of ours; once one came, whatever error ends the block is a stop."""
    handlers = {number: signal.signal(number, by) for number in numbers}
    try:
        yield
    except Exception as error:
        if stop_requested():
            raise StoppedError from error
        raise
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        _requested_at.clear()


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    _requested_at.append(time.monotonic())
    raise KeyboardInterrupt


def _keep(_number: int, _frame: FrameType | None) -> None:
    _requested_at.append(time.monotonic())
