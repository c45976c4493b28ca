"""Who may work on a flow: one run at a time, whoever started it, on whichever machine.

A lease is a file beside the state whose name ends in a number: `customer.8` is held, `customer.8.free` was given
back. Who takes a lease makes the file of the next number, which the file system lets one alone do; so a number is
given once, the highest counts, and whoever held a lower one finds its file gone.

A holder is gone

* on this machine when the kernel's lock on its file is gone with its process: at once, and never before;
* on another one when its file was not touched for as long as it said it would be. That is watched by the clock of
  whoever waits, since clocks differ. The holder counts by its own: when it was not heard of for two thirds of that
  time, paused or cut off, it works on only after it took the next number as anybody else would.
"""

import fcntl
import json
import os
import platform
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from uuid import uuid4

from talk_pipeline.engine.state.connection import Connection, now, transaction
from talk_pipeline.engine.state.meta import joined_meta, set_meta
from talk_pipeline.wording import counted

SECONDS = 30.0
"""How long a holder on another machine may not be heard of."""
POLL_SECONDS = 0.05
FOLDER = "leases"
FREE = ".free"


class LeaseHeldError(RuntimeError):
    """Another run works on the flow."""


class LeaseLostError(LeaseHeldError):
    """Another run took over the flow, since this one was not heard of."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """The lease of a flow as its file shows it."""

    number: int
    file: Path
    free: bool


@dataclass(slots=True)
class _Claim:
    """One flow's lease, held by this process."""

    folder: Path
    flow: str
    note: dict[str, object]
    seconds: float
    number: int = 0
    file: Path = Path()
    descriptor: int = -1
    token: str = field(default_factory=lambda: uuid4().hex)
    _renewed: float = 0.0
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def take(self, number: int) -> bool:
        """Makes the file of a number, if nobody has made that or a higher one."""
        began, file = time.monotonic(), self.folder / f"{self.flow}.{number}"
        try:
            descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
        except FileExistsError:
            return False
        note = self.note
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except OSError:  # a share without locks: there nothing but silence tells that we are gone
            note = {**note, "machine": None}
        try:
            os.write(descriptor, json.dumps(note).encode())
        except OSError as error:  # nobody is to wait for one that says nothing
            file.unlink(missing_ok=True)
            os.close(descriptor)
            raise OSError(error.errno, error.strerror, str(file)) from error
        others = [one for one in _all(self.folder, self.flow) if one.file != file]
        if any(one.number >= number for one in others):
            file.unlink(missing_ok=True)
            os.close(descriptor)
            return False
        for one in others:
            one.file.unlink(missing_ok=True)
        if self.descriptor >= 0:
            os.close(self.descriptor)
        self.number, self.file, self.descriptor, self._renewed = number, file, descriptor, began
        return True

    def renew(self) -> None:
        """Shows that we are here; too late, it changes nothing."""
        with self._turn, suppress(OSError):  # a share may be away for a moment
            began = time.monotonic()
            os.utime(self.file)
            if self._is_sure():
                self._renewed = began

    def require(self) -> None:
        """Raises LeaseLostError where somebody else has the flow."""
        with self._turn:
            if not self.file.exists() or not (self._is_sure() or self.take(self.number + 1)):
                raise LeaseLostError(_lost(self.folder, self.flow, self.seconds))

    def give_back(self) -> None:
        """Leaves the flow to the next; it may be somebody else's already."""
        with self._turn:
            os.ftruncate(self.descriptor, 0)  # who held it may be a person
            with suppress(FileNotFoundError):
                self.file.rename(self.file.with_name(f"{self.file.name}{FREE}"))
            os.close(self.descriptor)

    def _is_sure(self) -> bool:
        return time.monotonic() - self._renewed < self.seconds * 2 / 3


class Lease:
    """The leases of a run's flows, renewed for as long as they are held."""

    def __init__(self, claims: list[_Claim]) -> None:
        self._claims = claims
        self._fenced = False

    def require(self) -> None:
        """Proves that all flows are still this run's: called before anything is written or sent.

        Raises:
            LeaseLostError: another run has one of them.
        """
        for claim in self._claims:
            claim.require()

    def fence_anew(self) -> None:
        """The state is another file since: nothing of these leases is in it yet."""
        self._fenced = False

    def number_of(self, flow: str) -> int:
        """That of a flow's lease: each that is taken later has a higher one."""
        return next(claim.number for claim in self._claims if claim.flow == flow)

    def fence(self, db: Connection) -> None:
        """Proves it to a state that was just opened: one that another holder has opened since lets us no more in.

        Raises:
            LeaseLostError: another run has one of the flows, or had it meanwhile.
        """
        self.require()
        keys = {f"lease:{claim.flow}": claim.token for claim in self._claims}
        if not self._fenced:
            with transaction(db):
                for key, token in keys.items():
                    set_meta(db, key, token)
            self._fenced = True
        elif joined_meta(db, list(keys)) != " ".join(keys[key] for key in sorted(keys)):
            claim = self._claims[0]
            raise LeaseLostError(_lost(claim.folder, claim.flow, claim.seconds))

    @contextmanager
    def renewed(self) -> Iterator[None]:
        """While the block works, others see that we are here."""
        done = threading.Event()
        every = min(claim.seconds for claim in self._claims) / 6

        def renew() -> None:
            while not done.wait(every):
                for claim in self._claims:
                    claim.renew()

        thread = threading.Thread(target=renew, name="leases", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()


@contextmanager
def leases(
    folder: Path, flows: tuple[str, ...], *, run_id: str, wait_seconds: float, seconds: float = SECONDS
) -> Iterator[Lease]:
    """Holds the lease of every named flow; taken in the order of their names, so that two runs never cross.

    Args:
        folder: where they lie, for all who work on this state.
        flows: to work on.
        run_id: who holds them, for a person.
        wait_seconds: how long somebody else may have one.
        seconds: how long we may not be heard of before another machine takes over.

    Raises:
        LeaseHeldError: naming the flow, the run that has it and its process.
    """
    folder.mkdir(parents=True, exist_ok=True)
    note: dict[str, object] = {
        "run": run_id,
        "process": os.getpid(),
        "host": platform.node(),
        "machine": _machine(),
        "seconds": seconds,
        "since": f"{now():%Y-%m-%d %H:%M:%S} UTC",
    }
    with ExitStack() as stack:
        claims = []
        for flow in sorted(flows):
            claim = _Claim(folder, flow, note, seconds)
            _wait(claim, wait_seconds)
            stack.callback(claim.give_back)
            claims.append(claim)
        lease = Lease(claims)
        if claims:
            stack.enter_context(lease.renewed())
        yield lease


def _wait(claim: _Claim, wait_seconds: float) -> None:
    """Takes the lease once nobody has it."""
    deadline, watch = time.monotonic() + wait_seconds, _Watch()
    while True:
        top = _top(claim.folder, claim.flow)
        if top is None or top.free or watch.is_gone(top):
            if claim.take(top.number + 1 if top else 1):
                return
        elif time.monotonic() >= deadline and not watch.undecided:
            raise LeaseHeldError(_held(claim.folder, claim.flow))
        else:
            time.sleep(POLL_SECONDS)


class _Watch:
    """Whether a holder is gone.

    Attributes:
        undecided: it is on another machine, and may be gone: it was not seen to move yet.
    """

    def __init__(self) -> None:
        self.undecided = False
        self._last: tuple[int, int] | None = None
        self._since = 0.0

    def is_gone(self, top: _Seen) -> bool:
        """Looks once more."""
        try:
            note = _note(top.file)
            if note.get("machine") == _machine():
                self.undecided = False
                return _is_unlocked(top.file)
            at = (top.number, top.file.stat().st_mtime_ns)
        except FileNotFoundError:
            return False  # it has just been given back, or taken
        if at != self._last:
            self.undecided = self._last is None
            self._last, self._since = at, time.monotonic()
        seconds = note.get("seconds")
        return time.monotonic() - self._since > (seconds if isinstance(seconds, int | float) else SECONDS)


def _is_unlocked(file: Path) -> bool:
    descriptor = os.open(file, os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


def _all(folder: Path, flow: str) -> list[_Seen]:
    found = []
    for file in folder.iterdir():
        name, _, number = file.name.removesuffix(FREE).rpartition(".")
        if name == flow and number.isdecimal():
            found.append(_Seen(int(number), file, file.name.endswith(FREE)))
    return found


def _top(folder: Path, flow: str) -> _Seen | None:
    return max(_all(folder, flow), key=lambda one: one.number, default=None)


def _note(file: Path) -> dict[str, object]:
    """Who holds it; nothing while that is being written."""
    with suppress(ValueError):
        read = json.loads(file.read_bytes())
        if isinstance(read, dict):
            return read
    return {}


@cache
def _machine() -> str:
    """One kernel under one name: containers that share a kernel are taken for machines of their own."""
    with suppress(OSError):
        return (
            f"{platform.node()} {Path('/proc/sys/kernel/random/boot_id').read_text(encoding='ascii').strip()}"
        )
    return platform.node()


def _holder(folder: Path, flow: str) -> str:
    note: dict[str, object] = {}
    with suppress(OSError):
        if top := _top(folder, flow):
            note = _note(top.file)
    run, process, host = (note.get(name, "unknown") for name in ("run", "process", "host"))
    return f"run {run} (process {process} on {host}, since {note.get('since', 'unknown')})"


def _held(folder: Path, flow: str) -> str:
    return f"flow {flow!r} is held by {_holder(folder, flow)}; start this run again when that one has ended"


def _lost(folder: Path, flow: str, seconds: float) -> str:
    silent = counted(round(seconds), "second")
    return (
        f"flow {flow!r} was taken over from this run, which was not heard of for {silent}, and has been"
        f" with {_holder(folder, flow)}. Nothing more is written; what was sent and not answered is looked up there"
    )
