"""A folder of this machine: what may lie there is never told as a file that surely was not made."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from talk_pipeline.systems.customwebshop.stores.folders import LocalFolder
from talk_pipeline.systems.customwebshop.stores.store import NotDoneError, PerhapsDoneError

_taken: list[tuple[Path, Path]] = []


def _takes(event: str, arguments: tuple[object, ...]) -> None:
    """The shop takes the folder with all that is in it, at the very moment at which somebody looks into it."""
    if event == "open" and _taken and str(arguments[0]) == str(_taken[0][0]):
        folder, to = _taken.pop()
        folder.rename(to)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    return tmp_path


def put(folder: Path, name: str = "in/a.csv") -> NotDoneError | None:
    try:
        LocalFolder(folder, setting="SHOP_FILES").put(name, b"told")
    except NotDoneError as error:
        return error
    return None


def test_a_file_that_has_its_name_may_have_been_taken_whatever_fails_then(folder: Path) -> None:
    sys.addaudithook(_takes)
    _taken.append((folder / "in", folder / "taken"))
    assert type(put(folder)) is PerhapsDoneError
    assert not _taken
    assert (folder / "taken" / "a.csv").read_bytes() == b"told"


def test_one_that_was_not_given_its_name_surely_was_not_made(folder: Path) -> None:
    (folder / "in" / "a.csv").mkdir()
    error = put(folder)
    assert type(error) is NotDoneError
    assert "in/a.csv could not be given its name" in str(error)
    assert type(put(folder, "out/a.csv")) is NotDoneError, "there is no such folder"


@contextmanager
def drop_box() -> Iterator[Path]:
    """A folder into which one may put files and not look, for who is not mighty."""
    with tempfile.TemporaryDirectory() as there:
        box, mighty = Path(there) / "in", os.geteuid() == 0
        box.mkdir()
        Path(there).chmod(0o755)
        box.chmod(0o333)
        if mighty:
            os.seteuid(65534)
        try:
            yield Path(there)
        finally:
            if mighty:
                os.seteuid(0)
            box.chmod(0o755)


def test_a_folder_that_nobody_may_look_into_takes_files() -> None:
    with drop_box() as there:
        with pytest.raises(PermissionError):
            list((there / "in").iterdir())
        assert put(there) is None
        assert (there / "in" / "a.csv").read_bytes() == b"told"
