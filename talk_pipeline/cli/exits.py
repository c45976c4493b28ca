"""Exit statuses, and which mistake leads to which."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

import duckdb
import typer

from talk_pipeline.engine.entities import ByHandError
from talk_pipeline.engine.lease import LeaseHeldError
from talk_pipeline.engine.state import StateBusyError, StateMismatchError
from talk_pipeline.flows.loading import FlowError
from talk_pipeline.settings import SettingsError
from talk_pipeline.systems.errors import AccessFault, ConfigurationFault, SystemFault


class Exit(IntEnum):
    """What a script may rely on."""

    OK = 0
    CHECK_FAILED = 1
    USAGE = 2
    INCOMPLETE = 3


class UsageError(ValueError):
    """The command was given something that does not exist."""


_USAGE = (
    UsageError,
    ByHandError,
    SettingsError,
    FlowError,
    ConfigurationFault,
    AccessFault,
    StateMismatchError,
)
_INCOMPLETE = (SystemFault, LeaseHeldError, StateBusyError)


@contextmanager
def one_line_errors() -> Iterator[None]:
    """A user's mistake, or a system that is away, ends with a line that names it and never with a stack trace."""
    try:
        yield
    except _USAGE as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(Exit.USAGE) from None
    except _INCOMPLETE as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(Exit.INCOMPLETE) from None
    except OSError as error:
        if error.filename is None:
            raise
        typer.echo(f"error: {error.filename}: {error.strerror}", err=True)
        raise typer.Exit(Exit.USAGE) from None
    except duckdb.IOException as error:
        typer.echo(f"error: {str(error).removeprefix('IO Error: ')}", err=True)
        raise typer.Exit(Exit.USAGE) from None
