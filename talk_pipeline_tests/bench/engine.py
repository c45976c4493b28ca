"""What each stage of the engine costs at 10,000 and at 100,000 linked pairs: no server, no Dagster, CPU seconds.

Customers alone, then orders with their lines. A stage's figure is its CPU time at the larger size over ten times
that at the smaller: 1 is linear. Each size runs in a process of its own, whose peak memory is told as well. The
floor is the join that any diff needs at least: the two sides' hashes over the links.
"""

import multiprocessing
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import process_time
from zoneinfo import ZoneInfo

from talk_pipeline.declarations import checked_files
from talk_pipeline.engine.apply.bases import recalculations
from talk_pipeline.engine.apply.changesets import Composer, pending_changesets, pending_roots
from talk_pipeline.engine.apply.intents import intended, intent_for
from talk_pipeline.engine.apply.outcomes import conclude
from talk_pipeline.engine.match import links
from talk_pipeline.engine.model import Decode, Intent, Outcome, Record
from talk_pipeline.engine.model import Result as Ended
from talk_pipeline.engine.plan import circuit_breaker, compare, status
from talk_pipeline.engine.report import run_summary
from talk_pipeline.engine.report.checklist import checks
from talk_pipeline.engine.report.findings import CheckContext
from talk_pipeline.engine.snapshot import landing, reprojection, spooling
from talk_pipeline.engine.snapshot.batch import Landing
from talk_pipeline.engine.snapshot.columns import Company
from talk_pipeline.engine.snapshot.projection import Projector
from talk_pipeline.engine.state import journal
from talk_pipeline.engine.state.connection import Connection
from talk_pipeline.engine.state.database import State
from talk_pipeline.flows.sides import Side
from talk_pipeline.settings import Settings
from talk_pipeline.systems.businesscentral.client import Businesscentral
from talk_pipeline.systems.businesscentral.entities import load_entities
from talk_pipeline.systems.customwebshop.wire.client import Customwebshop
from talk_pipeline.systems.http import Http, Limits
from talk_pipeline.systems.protocol import System
from talk_pipeline_tests.bench import books
from talk_pipeline_tests.bench.result import Result

SMALL, LARGE = 10_000, 100_000
SHARE = 100  # one in so many is touched
BATCH = 100
FLOOR_SECONDS = 0.1  # below it a stage is nothing but what every stage costs
GROWTH = 1.5
COMPANY = Company("DKK", ZoneInfo("UTC"))
NEEDS: dict[str, tuple[tuple[str, books.Make], ...]] = {
    "customer": (),
    "order": (("customer", books.customer), ("product", books.product)),
}
MAKES: dict[str, books.Make] = {"customer": books.customer, "order": books.order}


@dataclass
class Measured:
    """CPU seconds by stage, and the peak memory in MiB."""

    seconds: dict[str, float] = field(default_factory=dict)
    peak: float = 0.0

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Times what runs inside."""
        started = process_time()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + process_time() - started


def run(folder: Path) -> dict[str, Result]:
    """Both books at both sizes."""
    results: dict[str, Result] = {}
    for flow in MAKES:
        measured = {size: _apart(folder / f"{flow}-{size}", flow, size) for size in (SMALL, LARGE)}
        worst = _print(flow, measured[SMALL], measured[LARGE])
        floor = measured[LARGE].seconds["floor: join of the hashes"]
        untouched = sum(
            seconds for name, seconds in measured[LARGE].seconds.items() if name.endswith("nothing touched")
        )
        results |= {
            f"engine_{flow}_worst_stage_growth": Result(worst, GROWTH, "lower", "x linear"),
            f"engine_{flow}_nothing_touched": Result(untouched / floor, 1.5, "lower", "x join of the hashes"),
            f"engine_{flow}_{LARGE}_peak": Result(measured[LARGE].peak, 2048, "lower", "MiB"),
        }
    return results


def _apart(folder: Path, flow: str, size: int) -> Measured:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(measure, (folder, flow, size))


def measure(folder: Path, flow: str, size: int) -> Measured:
    """All stages at one size."""
    book = Book(folder, flow, size)
    book.first_meeting()
    book.nothing_new()
    book.some_edited()
    book.report()
    status = Path("/proc/self/status").read_text()
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    book.measured.peak = int(peak.split()[1]) / 1024
    return book.measured


class Book:
    """One flow's records of both sides in a state of their own."""

    def __init__(self, folder: Path, flow: str, size: int) -> None:
        settings = Settings()
        self.flows, description = checked_files(settings)
        http = Http(
            "nobody",
            "http://nobody.example",
            limits=Limits(1, 1, 1, folder),
            longest_seconds=0,
        )
        self.systems: dict[Side, System] = {
            Side.SHOP: Customwebshop(http, self.flows, description=description),
            Side.BC: Businesscentral(http, self.flows, load_entities(), company_id=None, company_name=None),
        }
        self.flow, self.make = self.flows[flow], MAKES[flow]
        self.size = size
        self.measured = Measured()
        self.saved = 0  # how often the shop said some of its records anew
        with State(folder, threads=settings.talk_threads, memory=settings.talk_memory).open() as db:
            self.db: Connection = db
        for name, make in NEEDS[flow]:
            self.land(name, *books.pairs(make, range(size // books.SHARED)))
            self.plan(name)
            status.clear_dirty(self.db, self.flows[name])

    def land(self, name: str, shop: list[Record], bc: list[Record], *, stage: str = "") -> None:
        for side, records in ((Side.SHOP, shop), (Side.BC, bc)):
            if not records:
                continue
            with self.measured.stage(stage or "land what is referred to"):
                self.take(name, side, records)

    def take(self, name: str, side: Side, records: Iterable[Record]) -> None:
        """Lands what a system says of all its records."""
        for page in books.pages(records):
            spooling.spool(self.db, page)
        projector, decode = Projector(self.flows[name], side, COMPANY), self._decode(name, side)
        reprojection.reproject(self.db, projector, decode, reading="")
        landing.land(self.db, projector, decode, landing=Landing(fetched=True, full=True))

    def _decode(self, name: str, side: Side) -> Decode:
        return lambda payload: self.systems[side].decode(name, payload)

    def plan(self, name: str, *, stage: str = "") -> None:
        with self.measured.stage(f"match, {stage}" if stage else "match what is referred to"):
            links.match(self.db, self.flows[name])
        with self.measured.stage(f"plan, {stage}" if stage else "plan what is referred to"):
            compare.plan(self.db, self.flows, self.flows[name], company=COMPANY)

    def clear(self, stage: str) -> None:
        with self.measured.stage(f"settle marks, {stage}"):
            status.clear_dirty(self.db, self.flow)

    def first_meeting(self) -> None:
        self.land(self.flow.name, *books.pairs(self.make, range(self.size)), stage="land")
        self.plan(self.flow.name, stage="first meeting")
        self.clear("first meeting")
        counts = status.states(self.db, self.flow.name)
        assert counts["active"] == self.size, counts
        assert self.planned() == 0

    def nothing_new(self) -> None:
        self.land(
            self.flow.name, *books.pairs(self.make, range(self.size)), stage="land again, nothing touched"
        )
        self.plan(self.flow.name, stage="nothing touched")
        self.clear("nothing touched")
        assert self.planned() == 0

    def some_edited(self) -> None:
        touched = self.size // SHARE
        shop, _ = books.pairs(self.make, range(touched), edited=True)
        self.land(self.flow.name, shop, [], stage="land, 1 % touched")
        self.plan(self.flow.name, stage="1 % touched")
        assert self.planned() == touched, self.planned()
        with self.measured.stage("volume, 1 % touched"):
            circuit_breaker.volume(self.db, self.flow)
        with self.measured.stage("write down and settle, 1 % touched"):
            self.carry_out(books.pairs(self.make, range(touched))[1])
        self.plan(self.flow.name, stage="1 % written")
        self.clear("1 % written")
        assert self.planned() == 0

    def carry_out(self, held: Sequence[Record]) -> None:
        """What carrying out a plan does, where Business Central answers everything with what it was sent."""
        known = {record.id: record for record in held}
        projector, decode = Projector(self.flow, Side.BC, COMPANY), self._decode(self.flow.name, Side.BC)
        composer = Composer(self.flow, Side.BC, COMPANY)
        roots = pending_roots(self.db, self.flow, Side.BC)
        for at in range(0, len(roots), BATCH):
            changesets = pending_changesets(self.db, self.flow, Side.BC, roots=roots[at : at + BATCH])
            outcomes: list[tuple[Intent, Outcome]] = []
            for changeset in changesets:
                body = composer.update(changeset.root)
                intent = intent_for(changeset, intended(changeset.root, body.sent))
                answer = books.answered(known[changeset.target_id or ""], body.values)
                outcomes.append((intent, Outcome(Ended.DONE, record=answer)))
            intents = [intent for intent, _ in outcomes]
            recalculated = recalculations(self.db, self.flow, intents)
            journal.intend(self.db, "bench", intents, recalculated=recalculated)
            conclude(self.db, projector, decode, run_id="bench", outcomes=outcomes)

    def report(self) -> None:
        with self.measured.stage("states"):
            status.states(self.db, self.flow.name)
        with self.measured.stage("checks"):
            context = CheckContext(self.db, self.flow, "bench")
            findings = [(check, check.run(context)) for check in checks(self.flow)]
        failed = [f"{check.name}: {one.summary} {one.rows[:1]}" for check, one in findings if not one.passed]
        assert not failed, failed
        with self.measured.stage("report"):
            run_summary.record_check_results(self.db, self.flow.name, run_id="bench", findings=findings)
            run_summary.summary(self.db, self.flow, run_id="bench")
        with self.measured.stage("floor: join of the hashes"):
            for part in self.flow.parts:
                self.db.execute(JOIN, {"part": part.name}).fetchall()

    def planned(self) -> int:
        row = self.db.execute("select count(*) from change where flow = ?", [self.flow.name]).fetchone()
        return int(row[0]) if row else 0


JOIN = """
select count(*), count(*) filter (s.row_hash = b.row_hash) from link l
join record s on s.part = $part and s.side = 'customwebshop' and s.id = l.shop_id
join record b on b.part = $part and b.side = 'businesscentral' and b.id = l.bc_id
where l.part = $part
"""


def _print(flow: str, small: Measured, large: Measured) -> float:
    print(f"{flow + ', CPU':42}{SMALL:>10}{LARGE:>10}{'x linear':>10}")
    worst = 0.0
    for name, seconds in large.seconds.items():
        growth = seconds / max(small.seconds[name], FLOOR_SECONDS) / (LARGE / SMALL)
        worst = max(worst, growth)
        print(f"  {name:40}{small.seconds[name]:>9.2f}s{seconds:>9.2f}s{growth:>10.2f}")
    print(f"  {'peak memory':40}{small.peak:>6.0f} MiB{large.peak:>6.0f} MiB", flush=True)
    return worst
