"""Files that are there in one piece: whoever reads finds the old one or the new one, whatever happens."""

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from stat import S_IMODE
from typing import BinaryIO

FRESH = ".new"

_KNOWS_NO_SUCH_THING = (errno.EINVAL, errno.ENOTSUP)
"""What file systems of others say where a folder cannot be asked to be on disk, or a file not be given away."""


def put(file: Path, content: bytes) -> None:
    """Writes a file whole; it is on disk when this returns."""
    with whole(file) as out:
        out.write(content)


@contextmanager
def whole(file: Path) -> Iterator[BinaryIO]:
    """Where to write a file: all of it is there and on disk when this is left; after an error it is as it was."""
    if file.is_symlink() or (file.exists() and not file.is_file()):  # a pipe, or where the rest is printed
        with file.open("wb") as out:
            yield out
        return
    with (
        _in_the_place_of(file) as fresh,
        _through(fresh, os.O_EXCL, 0o600 if file.exists() else 0o666) as out,
    ):
        alike(fresh, file)
        yield out


@contextmanager
def _in_the_place_of(file: Path) -> Iterator[Path]:
    """A file under another name, which takes its place in the end; whoever fails is told of the name they know."""
    fresh = beside(file)
    try:
        try:
            yield fresh
            rename_through(fresh, file)
        except BaseException:
            fresh.unlink(missing_ok=True)
            raise
    except OSError as error:
        if str(error.filename) == str(fresh):
            raise OSError(error.errno, error.strerror, str(file)) from error
        raise


def beside(file: Path) -> Path:
    """A name in the folder of a file that nobody has: what is to be in its place is written there."""
    return file.with_name(f".{file.name}.{token_hex(8)}{FRESH}")


def alike(fresh: Path, file: Path) -> None:
    """Lets those read and write a fresh file who may the one that it is to replace, if that is there.

    Its owner is another's to give, but for root: where we may not, it is ours.
    """
    try:
        there = file.stat()
    except FileNotFoundError:
        return
    ours = fresh.stat()
    # the mode first: what is given away may be no longer ours to change
    if S_IMODE(ours.st_mode) != S_IMODE(there.st_mode):
        with _where_it_may_be():
            fresh.chmod(S_IMODE(there.st_mode))
    if (ours.st_uid, ours.st_gid) != (there.st_uid, there.st_gid):
        with _where_it_may_be():
            os.chown(fresh, there.st_uid, there.st_gid)


@contextmanager
def _where_it_may_be() -> Iterator[None]:
    """A share may keep neither modes nor owners, and says so in any of these ways."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.EPERM, *_KNOWS_NO_SUCH_THING):
            raise


def left_beside(file: Path) -> list[Path]:
    """What was being written in the place of a file when its writer was killed, if nobody is writing it now."""
    ours = re.compile(rf"\.{re.escape(file.name)}\.[0-9a-f]{{16}}{re.escape(FRESH)}.*")
    try:
        return [one for one in file.parent.iterdir() if ours.fullmatch(one.name)]
    except PermissionError:  # a folder that may be written to and not be looked into
        return []


def write_through(file: Path, content: bytes) -> None:
    """Writes a file, in the room that it has where it is there; its content is on disk when this returns."""
    with _through(file) as out:
        out.write(content)


@contextmanager
def _through(file: Path, only_if: int = 0, mode: int = 0o666) -> Iterator[BinaryIO]:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | only_if, mode), "wb") as out:
        yield out
        out.truncate()
        out.flush()
        os.fsync(out.fileno())


def rename_through(file: Path, to: Path) -> None:
    """Gives a file its name; it is on disk when this returns, where the folder can be asked for that.

    One that may be written to and not be looked into cannot, nor can many a share: what was renamed is there all
    the same.
    """
    file.replace(to)
    try:
        folder = os.open(to.parent, os.O_RDONLY)
    except PermissionError:
        return
    try:
        os.fsync(folder)
    except OSError as error:
        if error.errno not in _KNOWS_NO_SUCH_THING:
            raise
    finally:
        os.close(folder)
