"""Exit statuses, and which mistake leads to which: the one place where exceptions end the command line."""

import os
import sqlite3
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import IntEnum
from pathlib import Path
from typing import TextIO

import duckdb
import typer

from talk_pipeline.audit import NotAuditableError, UnreachableError
from talk_pipeline.cli.terminal import OUTPUT, say
from talk_pipeline.delivery import DeliveryError
from talk_pipeline.disks import NO_MORE_FILES, is_in_use, may_be_full, takes_no_more
from talk_pipeline.documents.model import DocumentError
from talk_pipeline.engine.model import ByHandError
from talk_pipeline.engine.state.connection import StateBrokenError, StateBusyError, StateMismatchError
from talk_pipeline.engine.state.lease import LeaseHeldError
from talk_pipeline.flows.loading import FlowError
from talk_pipeline.redaction import redacted
from talk_pipeline.remains import CRASH_FILE
from talk_pipeline.settings import Settings, SettingsError
from talk_pipeline.stopping import StoppedError, interruptible
from talk_pipeline.systems.errors import AccessFault, ConfigurationFault, SystemFault


class Exit(IntEnum):
    """What a script may rely on."""

    OK = 0
    CHECK_FAILED = 1
    USAGE = 2
    INCOMPLETE = 3


class UsageError(ValueError):
    """The command was given something that does not exist."""


def into_a_folder(file: Path) -> None:
    """Told before what is to be written there is worked out, which may take long.

    Raises:
        UsageError: its folder is not there.
    """
    if not file.parent.is_dir():
        raise UsageError(f"{file}: the folder {file.parent} does not exist: make it first")


class Interrupted(typer.Exit):
    """A signal ended the run, which has been told of: nothing else is begun."""


_USAGE = (
    UsageError,
    ByHandError,
    SettingsError,
    FlowError,
    DocumentError,
    ConfigurationFault,
    AccessFault,
    StateMismatchError,
    StateBrokenError,
    NotAuditableError,
)
_INCOMPLETE = (SystemFault, LeaseHeldError, StateBusyError, UnreachableError, DeliveryError)
# what Typer tells of a wrong option; the library below it is its own affair
_WRONG_CALL: type[Exception] = next(
    kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException"
)


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Whatever ends a command ends it with a line that names it and a status of its kind, never with a trace."""
    try:
        with interruptible():
            yield
    except (typer.Exit, typer.Abort, _WRONG_CALL):
        raise
    except (Exception, KeyboardInterrupt) as error:
        raise typer.Exit(tell(error)) from None


def tell(error: BaseException) -> Exit:
    """Says in a line how a mistake ends a command; where there is no room to say it, the status does."""
    status, text = told_in_a_line(error)
    if isinstance(error, OSError) and error.filename == OUTPUT:
        _let_go(sys.stdout)
    try:
        say(f"error: {text}", err=True)
    except OSError:
        _let_go(sys.stderr)
    return status


def _let_go(stream: TextIO) -> None:
    """Gives up what found no room: Python tries it again at its very end, and has a status of its own for that."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def told_in_a_line(error: BaseException) -> tuple[Exit, str]:
    """How a command ends that a mistake broke off, and the line that says so."""
    status, text = _end_of(error)
    return status, redacted(text)


def _end_of(error: BaseException) -> tuple[Exit, str]:
    match error:
        case KeyboardInterrupt() | StoppedError():
            text = "stopped before it was done; what was written is on record, run it again to go on"
            return Exit.INCOMPLETE, text
        case _ if isinstance(error, _USAGE):
            return Exit.USAGE, str(error)
        case _ if isinstance(error, _INCOMPLETE):
            return Exit.INCOMPLETE, str(error)
        case OSError():
            where = f"{error.filename}: " if error.filename else ""
            if takes_no_more(error) and error.filename:
                full = error.filename2 or error.filename  # of two the one that is written
                return Exit.INCOMPLETE, f"{full}: {error.strerror}: make room there, {_AGAIN}"
            if takes_no_more(error):
                return Exit.INCOMPLETE, f"{error.strerror}: {_MAKE_ROOM}"
            if error.errno in NO_MORE_FILES:
                return Exit.INCOMPLETE, f"{where}{error.strerror}: {_MORE_FILES}"
            status = Exit.USAGE if error.filename else Exit.INCOMPLETE
            return status, f"{where}{error.strerror or error}"
        case duckdb.OutOfMemoryException():
            return Exit.INCOMPLETE, f"{_first(error)}: give it more by TALK_MEMORY; nothing is lost"
        case sqlite3.Error() if is_in_use(error):
            way = "wait until the process that has that file is done"
            return Exit.INCOMPLETE, f"{_first(error)}: {way}, {_AGAIN}"
        case sqlite3.Error() if not may_be_full(error):
            pass
        case duckdb.TransactionException() | duckdb.FatalException() | sqlite3.Error():
            return Exit.INCOMPLETE, f"{_first(error)}: {_MAKE_ROOM}"  # what could not be put on disk
    return Exit.INCOMPLETE, f"{type(error).__name__}: {_first(error)}{_save_trace(error)}"


_AGAIN = "and run it again; nothing is lost"
_MORE_FILES = f"let this process have more of them open (ulimit -n 1024), {_AGAIN}"
_MAKE_ROOM = f"make room in TALK_DATA_DIR if its disk is full, {_AGAIN}"


def _first(error: BaseException) -> str:
    return next(iter(str(error).splitlines()), "") or "no more is known"


def _save_trace(error: BaseException) -> str:
    """Where the trace of what nobody expected is, for whoever mends it."""
    with suppress(Exception):
        folder = Settings.load().talk_data_dir
        folder.mkdir(parents=True, exist_ok=True)
        file = Path(folder) / CRASH_FILE
        file.write_text(redacted("".join(traceback.format_exception(error))), encoding="utf-8")
        return f" (a mistake in talk-pipeline; the trace is in {file})"
    return " (a mistake in talk-pipeline)"
