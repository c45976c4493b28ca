"""A state that is carried from machine to machine, in numbered snapshots that all of them see.

The file lies on a disk of the machine that works on it. Whoever works on any flow holds one lease for all of them.
The number of that names what it does: `snapshots/8.begun` while it works, `snapshots/8.duckdb` when it is done.
The highest counts, so that whoever was replaced and comes back late changes nothing. Beside the file stands the
number of what is in it.

Whoever ended without leaving a snapshot may have asked for something that only its own disk knows of. On that disk
the next run goes on; anywhere else the last snapshot is taken for a backup, once nothing can be under way any more.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from talk_pipeline.engine.state.connection import StateBrokenError, now
from talk_pipeline.engine.state.copies import copy_whole, write_copy
from talk_pipeline.engine.state.database import FILE, PROGRESS, SNAPSHOTS, State
from talk_pipeline.engine.state.lease import LeaseHeldError, LeaseLostError
from talk_pipeline.engine.state.left import journals_of
from talk_pipeline.engine.state.meta import read_in_full
from talk_pipeline.pieces import alike, put

WHOLE = "all flows"
"""The lease for the whole state: no flow is called so."""


class _Begun(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody has begun.

    Attributes:
        seconds: how long what was asked for may be under way.
        over_at: when nothing of it is, once it is known that nobody goes on with it.
    """

    by: str
    host: str
    seconds: float
    over_at: datetime | None = None


class CarriedState(State):
    """A state whose file lies in a folder of this machine, and whose snapshots lie in the data folder.

    Args:
        folder: the data folder, which all machines see.
        file: where this machine has it.
        longest_seconds: how long what is asked for may be under way after nobody waits for it any more.
    """

    def __init__(
        self,
        folder: Path,
        *,
        file: Path,
        wait_seconds: float,
        lease_seconds: float,
        longest_seconds: float = 0,
        threads: int | None = None,
        memory: str | None = None,
    ) -> None:
        super().__init__(
            folder,
            file=file,
            wait_seconds=wait_seconds,
            lease_seconds=lease_seconds,
            threads=threads,
            memory=memory,
        )
        self.longest_seconds = longest_seconds
        self._snapshots = folder / SNAPSHOTS
        self._number = file.with_name(f"{FILE}.number")

    @contextmanager
    def leased(self, flows: tuple[str, ...], *, by: str) -> Iterator[None]:
        """While nobody else works on any flow; the state is brought here before, and left to all after the block.

        Raises:
            LeaseHeldError: another run has it, or what one has left may still be under way.
            StateBrokenError: what was to be left is not what was read, or is nowhere to be found again.
        """
        with super().leased((WHOLE,), by=by):
            self._take(by)
            try:
                yield
            except LeaseLostError:
                raise  # what is here is nobody's any more
            except BaseException:
                self._leave()
                raise
            self._leave()

    def refresh(self) -> None:
        """Brings the last snapshot here, unless what is here is newer or is being worked on."""
        with self._alone():
            if self._here() < self._newest():
                self._fetch(self._newest())

    def _take(self, by: str) -> None:
        number = self.number_of(WHOLE)
        with self._alone():
            here, newest, begun = self._here(), self._newest(), self._begun()
            left = {one: what for one, what in begun.items() if one != here}
            if here > newest and not begun:
                raise StateBrokenError(
                    f"{self.file} is snapshot {here}, and the last one in {self._snapshots} is"
                    f" {newest or 'none'}: is that the folder that all machines see? If it is, and lost some,"
                    f" move {self.file} away to go on from what is there"
                )
            if left:
                self._require_over(left)
            # what the last one here asked for may be under way as long as it said, whoever goes on with it
            seconds = max(self.longest_seconds, begun[here].seconds if here in begun else 0)
            self._note(number, _Begun(by=by, host=os.uname().nodename, seconds=seconds))
            if left or not (here == newest or here in begun):
                self._fetch(newest, rewound=bool(left))
            self._is_here(number)
            for one in begun:
                self._file(one, "begun").unlink(missing_ok=True)

    def _require_over(self, left: Mapping[int, _Begun]) -> None:
        for number, what in left.items():
            if what.over_at is None:
                over_at = now() + timedelta(seconds=what.seconds)
                self._note(number, msgspec.structs.replace(what, over_at=over_at))
        found = [
            (one.over_at, one) for number, one in self._begun().items() if number in left and one.over_at
        ]
        over_at, late = max(found, key=lambda one: one[0])
        if over_at > now():
            raise LeaseHeldError(
                f"run {late.by} on {late.host} ended without leaving a snapshot of the state: what it asked for"
                f" may be under way until {over_at:%Y-%m-%d %H:%M:%S} UTC; start this run again after that, or"
                f" on {late.host} at once"
            )

    def _leave(self) -> None:
        leaving = self.file.with_name(f"{FILE}.leaving")
        try:
            write_copy(self, leaving)
            alike(leaving, self.file)
            self.release()
            self.require()
            number = self.number_of(WHOLE)
            copy_whole(leaving, self._file(number, "duckdb"))
        finally:
            leaving.unlink(missing_ok=True)
        self._is_here(number)
        for file in self._snapshots.iterdir():
            if file.stem.isdecimal() and int(file.stem) < number:
                file.unlink(missing_ok=True)
        self._file(number, "begun").unlink(missing_ok=True)

    def _fetch(self, number: int, *, rewound: bool = False) -> None:
        """Puts a snapshot in the place of the file; what is here and nowhere else is kept beside it."""
        here = self._here()
        if here > number:  # the file last: until then it is what is here
            for ending, one in {**journals_of(self.file), "": self.file}.items():
                one.replace(self.file.with_name(f"{FILE}.replaced-{here}{ending}"))
        self._number.unlink(missing_ok=True)
        for one in (self.file, *journals_of(self.file).values()):
            one.unlink(missing_ok=True)
        if number:
            copy_whole(self._file(number, "duckdb"), self.file)
            self._is_here(number)
        self.replaced()
        if rewound:
            shutil.rmtree(self.folder / PROGRESS, ignore_errors=True)
            with self.once() as db:
                read_in_full(db)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """While no other process of this machine exchanges the file."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self._snapshots.mkdir(parents=True, exist_ok=True)
        with self.file.with_name(f"{FILE}.turn").open("w") as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            yield

    def _here(self) -> int:
        """The number of what is in the file; 0 for one that was never carried."""
        if not (self.file.exists() and self._number.exists()):
            return 0
        return int(self._number.read_text(encoding="ascii"))

    def _is_here(self, number: int) -> None:
        put(self._number, str(number).encode("ascii"))

    def _newest(self) -> int:
        return max((int(file.stem) for file in self._snapshots.glob("*.duckdb")), default=0)

    def _begun(self) -> dict[int, _Begun]:
        files = self._snapshots.glob("*.begun")
        return {int(file.stem): msgspec.json.decode(file.read_bytes(), type=_Begun) for file in files}

    def _note(self, number: int, what: _Begun) -> None:
        put(self._file(number, "begun"), msgspec.json.encode(what))

    def _file(self, number: int, kind: str) -> Path:
        return self._snapshots / f"{number}.{kind}"
