"""Dagster's home: made once, before any process opens it.

Two processes that open a new home at the same moment fail, so set-up comes first; the command line opens the same
home, so that its runs show in the UI. Beside the settings lies what they were copied from: settings nobody edited
follow a newer release, edited ones stay.
"""

import errno
import hashlib
import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
from filelock import FileLock
from sqlalchemy.exc import SQLAlchemyError

from talk_pipeline.disks import found_no_room, is_in_use
from talk_pipeline.engine.state.connection import StateBusyError
from talk_pipeline.pieces import put
from talk_pipeline.remains import HOME, HOME_SETTINGS, SHIPPED
from talk_pipeline.settings import SettingsError

TEMPLATE = Path(__file__).parent / "dagster.yaml"
# as shipped before the copy was kept beside the settings
FIRST_SHIPPED = "fb35d7ab0639a52ae427bad431070d73f724ab4363e370fb44bcb63b814573a5"

ONE_AT_A_TIME = "    max_concurrent_runs: 1\n"
SIDE_BY_SIDE = """\
    # runs of different companies go side by side, and of one company one at a time, whoever started them
    max_concurrent_runs: 4
    tag_concurrency_limits:
      - {key: dagster/partition, value: {applyLimitPerUniqueValue: true}, limit: 1}
"""

log = logging.getLogger(__name__)


class HomeError(SettingsError):
    """Dagster cannot work with what lies in its home."""


def prepare_home(data_dir: Path, *, several: bool = False) -> Path:
    """The home below the data folder, with its settings and its storage in place.

    Args:
        data_dir: where the state lies, or the folders of all companies.
        several: whether there are several companies, whose runs go side by side.
    """
    home = (data_dir / HOME).resolve()
    home.mkdir(parents=True, exist_ok=True)
    with FileLock(home / "setup.lock"):
        if _put_settings(home, template(several=several)):
            with _opened(home) as instance:
                instance.get_runs(limit=1)
    return home


def template(*, several: bool) -> bytes:
    """The settings as they are shipped, for one company or for several."""
    shipped = TEMPLATE.read_text(encoding="utf-8")
    if several:
        before, after = shipped.split(ONE_AT_A_TIME)
        shipped = before + SIDE_BY_SIDE + after
    return shipped.encode()


def _put_settings(home: Path, template: bytes) -> bool:
    """Keeps the settings as they are shipped, or as they were edited; returns whether nothing was set before."""
    settings, shipped = home / HOME_SETTINGS, home / f"{HOME_SETTINGS}{SHIPPED}"
    known = shipped.read_bytes() if shipped.exists() else None
    current = _current(settings, template)
    if known == template and current is not None:
        return False
    if current is None or current == known or hashlib.sha256(current).hexdigest() == FIRST_SHIPPED:
        put(settings, template)
    elif current != template:
        log.warning(
            "%s was edited and stays as it is, though this release ships other settings: compare it with %s",
            settings,
            shipped,
        )
    put(shipped, template)
    return current is None


def _current(settings: Path, template: bytes) -> bytes | None:
    """What is set; a file that is empty, or was left in the middle of what we say, sets nothing.

    One that ends where a section does may have been shortened by a person.
    """
    current = settings.read_bytes() if settings.exists() else b""
    ends = current.endswith(b"\n") and not template[len(current) :].startswith(b" ")
    torn = template.startswith(current) and not ends
    return None if torn else current


@contextmanager
def open_home(data_dir: Path, *, several: bool = False) -> Iterator[dg.DagsterInstance]:
    """The instance whose home is below the data folder.

    Raises:
        HomeError: its settings or its records are broken; it says which file, and what to do.
        StateBusyError: another process keeps its records for too long.
    """
    with _opened(prepare_home(data_dir, several=several)) as instance:
        yield instance


@contextmanager
def _opened(home: Path) -> Iterator[dg.DagsterInstance]:
    settings = home / HOME_SETTINGS
    try:
        opened = dg.DagsterInstance.from_config(str(home))
    except (SQLAlchemyError, sqlite3.Error) as error:
        raise _unusable(home, error) from error
    except Exception as error:  # whatever Dagster makes of what it finds there
        why = " ".join(str(error).split()) or type(error).__name__
        raise HomeError(
            f"{settings} is not what Dagster reads: {why}: correct it, or remove it and it is made anew"
        ) from error
    try:
        with opened as instance:
            yield instance
    except (SQLAlchemyError, sqlite3.Error) as error:
        raise _unusable(home, error) from error


def _unusable(home: Path, error: Exception) -> Exception:
    cause = getattr(error, "orig", None) or error
    if is_in_use(cause):
        why = f"are in use by another process ({cause}): wait, and say it again"
        return StateBusyError(f"Dagster's own records in {home} {why}")
    if found_no_room(cause, home):
        return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(home))
    return HomeError(
        f"Dagster's own records in {home} cannot be used ({str(cause).splitlines()[0]}): move that folder away and"
        " it is made anew; what the pipeline knows lies elsewhere and is not touched"
    )
