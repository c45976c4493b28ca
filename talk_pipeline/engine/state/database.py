"""The DuckDB file that holds a company's state: opening it, its schema, its identity.

DuckDB lets one process write: the file is opened late and closed early, and whoever finds it taken waits for
a bounded time and then says who has it. What the tables mean is in schema.sql.
"""

import errno
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import duckdb

from talk_pipeline.disks import NO_MORE_FILES, takes_no_more
from talk_pipeline.engine.kinds import HoldKind
from talk_pipeline.engine.state.connection import (
    Connection,
    StateBrokenError,
    StateBusyError,
    StateMismatchError,
    broken,
)
from talk_pipeline.engine.state.lease import FOLDER, SECONDS, Lease, LeaseLostError, leases
from talk_pipeline.engine.state.left import Left
from talk_pipeline.engine.state.meta import know_system, known_systems
from talk_pipeline.engine.state.migrations import prepare
from talk_pipeline.stopping import go_on

FILE = "talk.duckdb"
SNAPSHOTS = "snapshots"
PROGRESS = "progress"
SPILLED = "spilled"
WAIT_SECONDS = 60.0
NOT_TO_BE_WRITTEN = (errno.EACCES, errno.EPERM, errno.EROFS)
A_THREAD = 64 * 2**20
"""How many bytes of a file are worth another thread: with less of them, they wait for each other."""
MAGIC, MAGIC_AT = b"DUCK", 8
JOURNAL_MAGIC = b"d\0b"  # of what was written and is not in the file yet

# how a hold is told to people, in whatever query shows one
_LABELS = " ".join(f"when '{kind}' then '{kind.label}'" for kind in HoldKind)
_MACROS = f"""
create or replace temp macro hold_label(kind) as case kind {_LABELS} end;
create or replace temp macro withheld(kind, reason) as hold_label(kind) || ': ' || reason;
create or replace temp macro meant(refers_to, canon, linked, raw)
  as case when refers_to is null then canon else coalesce(linked, '?' || raw) end;
create or replace temp macro is_open(outcome) as coalesce(outcome, 'unknown') = 'unknown';
"""


class State:
    """One company's DuckDB file under the data folder.

    Attributes:
        beside: the connection without the file: temporary tables made here are seen beside it once it is open.

    Args:
        folder: the data folder, for leases and, by default, the file.
        file: where it lies otherwise.
        wait_seconds: how long somebody else may keep the file.
        threads: the most that work at once, by default one a core.
        memory: the most that is used, such as `4GB`; what does not fit is put on disk for the while.
        lease_seconds: how long whoever works on it may not be heard of before another machine takes over.
    """

    def __init__(
        self,
        folder: Path,
        *,
        file: Path | None = None,
        wait_seconds: float = WAIT_SECONDS,
        threads: int | None = None,
        memory: str | None = None,
        lease_seconds: float = SECONDS,
    ) -> None:
        self.folder = folder
        self.file = file or folder / FILE
        self.wait_seconds = wait_seconds
        self._most = threads, memory
        self.beside = self._connected()
        self._lease_seconds = lease_seconds
        self._lease: Lease | None = None
        self._prepared = False
        self._attached = False
        self._attached_at = 0.0
        self._left = Left(self.file)

    @contextmanager
    def open(self) -> Iterator[Connection]:
        """A connection to the state with the schema in place.

        The file stays open for whoever opens next, until `release`: opening costs more than most queries.

        Raises:
            StateBusyError: another process kept it for longer than `wait_seconds`.
            StateMismatchError: written by another version of the pipeline.
            StateBrokenError: the file is no database, or that of something else.
            LeaseLostError: another run has taken over.
        """
        if not self._attached:
            self._attach(self.beside)
        yield self.beside

    @contextmanager
    def once(self) -> Iterator[Connection]:
        """A connection that leaves the file to others as soon as it is done."""
        try:
            with self.open() as db:
                yield db
        finally:
            self.release()

    def release(self) -> None:
        """Leaves the file to others: before anything slow, and at the end of a piece of work.

        Temporary tables outlive it: they lie beside the state, in memory.
        """
        if not self._attached:
            return
        ready, self.beside.keeps_findings = self.beside.keeps_findings, False
        self._attached = False
        try:
            if ready:
                self._left.leave(self.beside)
            self.beside.execute("use memory")
            self.beside.execute("detach state")
        except BaseException:
            # after a checkpoint without room it takes no statement any more, and would keep the file
            self.beside.close()
            self.beside = self._connected()
            raise
        if ready:
            self._left.closed()

    @property
    def spilled(self) -> Path:
        """Where what does not fit into the memory lies while it is worked on; it is there only then."""
        return self.file.parent / SPILLED

    def clear_spilled(self) -> None:
        """Removes what killed runs left there; nobody else may be at work."""
        if self.spilled.exists():
            shutil.rmtree(self.spilled)

    def _connected(self) -> Connection:
        threads, memory = self._most
        beside = Connection(threads=threads, memory=memory, spilled=self.spilled)
        beside.file = self.file
        beside.execute(_MACROS)
        self._threads = self._most_threads = beside.threads
        return beside

    def _share_out(self, db: Connection) -> None:
        """Has as many threads work as there is something for: to wake others costs a fifth of each statement."""
        threads = max(1, min(self._most_threads, self.file.stat().st_size // A_THREAD))
        if threads != self._threads:
            db.threads = self._threads = threads

    @property
    def open_seconds(self) -> float:
        """For how long the file has been kept from others."""
        return time.monotonic() - self._attached_at if self._attached else 0.0

    def _attach(self, db: Connection) -> None:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        _look(self.file)
        self._left.look()
        self._wait_for(db)
        self._attached, self._attached_at = True, time.monotonic()
        self._share_out(db)
        db.execute("use state")
        if not self._prepared:
            try:
                prepare(db, self.file)
            except (StateBrokenError, StateMismatchError):
                self.release()
                raise
            self._prepared = True
        self._left.opened(db)
        db.keeps_findings = True
        if self._lease:
            try:
                self._lease.fence(db)
            except LeaseLostError:
                self.release()
                raise

    def _wait_for(self, db: Connection, options: str = "") -> None:
        deadline = time.monotonic() + self.wait_seconds
        while locked := _attached(db, self.file, options):
            if time.monotonic() >= deadline:
                raise StateBusyError(_busy(self.file, locked))
            go_on()
            time.sleep(0.1)

    @contextmanager
    def as_it_is(self) -> Iterator[Connection]:
        """A connection that changes nothing, to whatever lies there: meanwhile nobody else opens it.

        Raises:
            StateBusyError: another process kept it for longer than `wait_seconds`.
            StateBrokenError: it is no database.
        """
        _look(self.file)
        with closing(Connection()) as db:
            db.file = self.file
            self._wait_for(db, " (read_only)")
            db.execute("use state")
            yield db

    def replaced(self) -> None:
        """The file is another one since: nothing that was found out about it holds."""
        self._prepared = False
        if self._lease:
            self._lease.fence_anew()

    @contextmanager
    def leased(self, flows: tuple[str, ...], *, by: str) -> Iterator[None]:
        """While nobody else works on these flows; once that is lost, it is opened no more.

        Raises:
            LeaseHeldError: another run has one of them for longer than `wait_seconds`.
        """
        folder, wait, seconds = self.folder / FOLDER, self.wait_seconds, self._lease_seconds
        with leases(folder, flows, run_id=by, wait_seconds=wait, seconds=seconds) as lease:
            self._lease = lease
            try:
                yield
            finally:
                self._lease = None

    def refresh(self) -> None:
        """Brings here what is newer elsewhere: what lies here is all there is."""

    def number_of(self, flow: str) -> int:
        """That of the lease of a flow, which is held."""
        assert self._lease is not None, "no lease is held"
        return self._lease.number_of(flow)

    def require(self) -> None:
        """Proves that whoever works on it still may: called before anything leaves for a system.

        Raises:
            LeaseLostError: another run has taken over.
        """
        if self._lease:
            self._lease.require()

    def identify(self, systems: Mapping[str, str], *, begins: Callable[[], None] = lambda: None) -> None:
        """Binds a new database to these systems; refuses an old one that belongs to others.

        Args:
            systems: by name.
            begins: called before a new one is bound; what it raises leaves it unbound.

        Raises:
            StateMismatchError: naming the systems the database knows and those asked for.
        """
        with self.open() as db:
            known = known_systems(db)
            if known and known != dict(systems):
                raise StateMismatchError(
                    f"{self.file} belongs to {_named(known)}, but the settings name {_named(systems)}; "
                    "use another TALK_DATA_DIR for these, or the settings it was made with; if they are the same at"
                    " another address: talk-pipeline moved"
                )
            if not known:
                begins()
                for name, value in systems.items():
                    know_system(db, name, value)


def _named(systems: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in sorted(systems.items()))


def _attached(db: Connection, file: Path, options: str) -> str:
    """Attaches the file; returns what is said of a lock that somebody else has, else nothing.

    Raises:
        duckdb.OutOfMemoryException: it takes more memory than there may be.
        OSError: its disk is full, or no more files may be open.
        StateBrokenError: it cannot be attached for any other reason.
    """
    path, is_new = str(file).replace("'", "''"), not file.exists()
    try:
        db.execute(f"attach '{path}' as state{options}")
    except OSError as error:
        if error.errno == errno.EAGAIN:  # so the operating system tells of a lock
            return str(error.strerror)
        if takes_no_more(error):
            if is_new:  # it was begun, and holds nothing
                file.unlink(missing_ok=True)
            raise
        if error.errno in NO_MORE_FILES:  # which says nothing of the file either
            raise
        if error.errno in NOT_TO_BE_WRITTEN:
            way = "let whoever runs this write it and its folder; nothing says that it is damaged"
            raise StateBrokenError(f"{file} cannot be used: {error.strerror}: {way}") from None
        raise StateBrokenError(broken(file, str(error.strerror))) from None
    except duckdb.ResourceInUseException as error:  # by this very process
        return str(error)
    except duckdb.OutOfMemoryException:  # which says nothing of the file
        raise
    except duckdb.Error as error:
        raise StateBrokenError(broken(file, str(error))) from None
    return ""


def _busy(file: Path, message: str) -> str:
    holder = re.search(r"PID (\d+)", message)
    who = f"process {holder[1]}" if holder else "another process"
    return f"{file} is in use by {who}; wait until its run has ended, or end it"


def _look(file: Path) -> None:
    """DuckDB's own words for another file do not say what to do about it; another journal it passes over."""
    if file.is_file() and file.stat().st_size and _begins(file, MAGIC_AT + len(MAGIC))[MAGIC_AT:] != MAGIC:
        raise StateBrokenError(broken(file, "it is no DuckDB file"))
    journal = file.with_name(f"{file.name}.wal")
    begins = _begins(journal, len(JOURNAL_MAGIC)) if journal.is_file() else b""
    # one that a power cut left without its contents was never relied on
    if any(begins) and not JOURNAL_MAGIC.startswith(begins):
        raise StateBrokenError(
            f"{journal} cannot be used: it is no journal of DuckDB, and the last of what was done should be in it."
            f" Put a backup in the place of {file.name}, or move {journal.name} away and synchronize with --full:"
            " what was made meanwhile is met again by the match rules"
        )


def _begins(file: Path, size: int) -> bytes:
    with file.open("rb") as opened:
        return opened.read(size)
