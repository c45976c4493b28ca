"""The engine on large books, each figure against a floor or a peer that is measured in turn with it.

`large.py --peers PYTHON --rounds N SIZE...`: customers, no server and no Dagster. Each size is built once, in a
process of its own; what is told of a stage is the median of the rounds, CPU seconds unless it says otherwise. The
floor of a comparison is the join of the two sides' hashes over the links. Peers compare tables they hold in memory.
"""

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import chain
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

from talk_pipeline.engine.match import links
from talk_pipeline.engine.model import Record
from talk_pipeline.engine.plan import compare, status
from talk_pipeline.engine.snapshot.dirty import is_at_rest
from talk_pipeline.engine.snapshot.watermarks import watermark
from talk_pipeline.engine.state.database import FILE, State
from talk_pipeline.flows.sides import Side
from talk_pipeline_tests.bench import books, engine, peers
from talk_pipeline_tests.bench.result import Result

SMALL = 10_000
TOUCHED = 100
FLOW = "customer"

_WIDE = """
copy (select {key} as id, {columns} from record r {join} where r.part = '{part}' and r.side = '{side}') to '{file}'
"""
_LINKED = "join link l on l.part = r.part and l.bc_id = r.id"


@dataclass
class Times:
    """CPU seconds and seconds of each stage, a figure a round; the most memory in MiB, of stages and of peers."""

    cpu: dict[str, list[float]] = field(default_factory=dict)
    wall: dict[str, list[float]] = field(default_factory=dict)
    memory: dict[str, float] = field(default_factory=dict)
    peak: dict[str, float] = field(default_factory=dict)
    counted: dict[str, float] = field(default_factory=dict)

    def note(self, stage: str, cpu: float, wall: float) -> None:
        """One round of a stage."""
        self.cpu.setdefault(stage, []).append(cpu)
        self.wall.setdefault(stage, []).append(wall)

    def time(self, stage: str, work: Callable[[], object]) -> None:
        """Runs a stage and notes it."""
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
        cpu, wall = process_time(), perf_counter()
        work()
        self.note(stage, process_time() - cpu, perf_counter() - wall)
        self.memory[stage] = max(self.memory.get(stage, 0), _peak())

    def ratio(self, stage: str, floor: str) -> float:
        """How often the floor fits into a stage, in CPU seconds: what else the machine does is left out."""
        return median(self.cpu[stage]) / median(self.cpu[floor])


def _shop(positions: range) -> Iterator[Record]:
    return (books.customer(at, False)[0] for at in positions)


def _bc(positions: range) -> Iterator[Record]:
    return (books.customer(at, False)[1] for at in positions)


def _edited(size: int, side: Side) -> Iterator[Record]:
    """1 % of the books edited on each side, 0.1 % of them on both sides and otherwise."""
    for at in range(0, size, 10):
        both = at % 1000 == 990
        shop, bc = books.customer(at, True)
        if side is Side.SHOP and (at % 100 == 0 or both):
            yield shop
        if side is Side.BC and (at % 100 == 10 or both):
            values = json.loads(bc.payload) | {"website": f"central.company-{at}.example"}
            yield replace(
                bc, version='W/"2"', modified_at=books.START + timedelta(days=2), payload=json.dumps(values)
            )


class Books:
    """The books of one size, and what is measured on them."""

    def __init__(self, folder: Path, size: int, *, python: str, rounds: int) -> None:
        self.book = engine.Book(folder / "state", FLOW, 0)
        self.folder, self.size, self.python, self.rounds = folder, size, python, rounds
        self.times = Times()

    def build(self) -> None:
        """Both sides land, meet for the first time, and are found to agree."""
        book, everything = self.book, range(self.size)
        # records are made while they land, since all of them at once do not fit: what that costs is told apart
        self.times.time(
            "making the records", lambda: deque(chain(_shop(everything), _bc(everything)), maxlen=0)
        )
        self.times.time("land, shop", lambda: book.take(FLOW, Side.SHOP, _shop(everything)))
        self.times.time("land, Business Central", lambda: book.take(FLOW, Side.BC, _bc(everything)))
        self.times.time("first match", lambda: links.match(book.db, book.flow))
        self.times.time("first plan", self.plan)
        status.clear_dirty(book.db, book.flow)
        links.match(book.db, book.flow)
        self.plan()
        assert status.states(book.db, FLOW)["active"] == self.size
        self.wide("base", Side.SHOP)
        raw = book.db.execute("select sum(strlen(payload)) from snapshot").fetchone()
        book.db.execute("checkpoint")
        self.times.counted["file"] = (self.folder / "state" / FILE).stat().st_size / (raw or (1,))[0]

    def plan(self) -> None:
        """What is to be written where."""
        compare.plan(self.book.db, self.book.flows, self.book.flow, company=engine.COMPANY)

    def untouched(self) -> None:
        """A run that finds nothing touched, against opening the file and reading the watermarks."""
        assert is_at_rest(self.book.db, self.book.flows, self.book.flow)

        def opened(work: Callable[[State], object]) -> None:
            state = State(self.folder / "state")
            work(state)
            state.release()
            state.beside.close()

        def watermarks(state: State) -> None:
            with state.open() as db:
                for side in Side:
                    watermark(db, FLOW, side)

        def looked(state: State) -> None:
            watermarks(state)
            with state.open() as db:
                links.match(db, self.book.flow)
                assert is_at_rest(db, self.book.flows, self.book.flow)

        self.book.db.close()
        for _ in range(self.rounds * 3):
            self.times.time("floor: open, watermarks", lambda: opened(watermarks))
            self.times.time("nothing touched", lambda: opened(looked))
        self.book = engine.Book(self.folder / "state", FLOW, 0)

    def touched(self) -> None:
        """A hundred edits in the shop, matched and planned; then they are taken back."""
        book = self.book

        def save(edited: bool, *, hour: int) -> None:
            shop, _ = books.pairs(books.customer, range(TOUCHED), edited=edited)
            moment = books.START + timedelta(hours=hour)
            book.land(FLOW, [replace(one, modified_at=moment) for one in shop], [])

        for at in range(self.rounds):
            save(True, hour=2 * at + 1)

            def matched_and_planned() -> None:
                links.match(book.db, book.flow)
                self.plan()

            self.times.time("100 touched", matched_and_planned)
            assert book.planned() == TOUCHED
            save(False, hour=2 * at + 2)
            matched_and_planned()
            status.clear_dirty(book.db, book.flow)
            assert book.planned() == 0

    def differing(self) -> None:
        """1 % edited on each side: the plan, the floor and the peers in turn."""
        for side in Side:
            self.book.take(FLOW, side, _edited(self.size, side))
        links.match(self.book.db, self.book.flow)
        self.wide("shop", Side.SHOP)
        self.wide("bc", Side.BC)
        for _ in range(self.rounds):
            self.times.time("floor: join of the hashes", self.join)
            self.times.time("plan, 1 % edited on each side", self.plan)
            for peer in peers.PEERS if self.python else ():
                done = subprocess.run(
                    [self.python, peers.__file__, peer, str(self.folder)],
                    capture_output=True,
                    text=True,
                    check=True,
                )
                told = json.loads(done.stdout.splitlines()[-1])
                self.times.note(peer, told["cpu"], told["seconds"])
                self.times.peak[f"{peer} {told['version']}"] = told["peak"]
                self.times.counted[f"{peer} found"] = told["found"]
        self.times.counted["planned"] = self.book.planned()

    def join(self) -> None:
        """The floor."""
        self.book.db.execute(engine.JOIN, {"part": FLOW}).fetchall()

    def wide(self, name: str, side: Side) -> None:
        """One column a property, for the peers."""
        properties = [prop.name for prop in self.book.flow.root.properties if prop.two_way]
        self.book.db.execute(
            _WIDE.format(
                key="r.id" if side is Side.SHOP else "l.shop_id",
                columns=", ".join(f"r.canon['{prop}'] as \"{prop}\"" for prop in properties),
                join="" if side is Side.SHOP else _LINKED,
                part=FLOW,
                side=side,
                file=self.folder / f"{name}.parquet",
            )
        )


def _peak() -> float:
    told = Path("/proc/self/status").read_text()
    return int(next(line for line in told.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024


def measure(size: int, python: str, rounds: int) -> Times:
    """Everything at one size, in this process."""
    with tempfile.TemporaryDirectory() as folder:
        one = Books(Path(folder), size, python=python, rounds=rounds)
        one.build()
        one.untouched()
        one.touched()
        one.differing()
        return one.times


def results(size: int, large: Times, small: Times) -> dict[str, Result]:
    """The figures of a size beside what they should be."""
    plan, floor = "plan, 1 % edited on each side", "floor: join of the hashes"
    told = {
        "land_microseconds": Result(_landed(large) / size / 2 * 1e6, 40, "lower", "us of CPU a record"),
        "first_plan_microseconds": Result(
            median(large.cpu["first plan"]) / size * 1e6, 30, "lower", "us of CPU a pair"
        ),
        "nothing_touched": Result(
            large.ratio("nothing touched", "floor: open, watermarks"), 1.2, "lower", "x opening the file"
        ),
        "100_touched": Result(
            median(large.cpu["100 touched"]) / median(small.cpu["100 touched"]), 1.5, "lower", f"x at {SMALL}"
        ),
        "diff": Result(large.ratio(plan, floor), 4, "lower", "x join of the hashes"),
        "store": Result(large.counted["file"], 0.5, "lower", "x raw JSON"),
        "peak": Result(max(large.memory.values()), 1024, "lower", "MiB"),
    }
    targets = {"polars": 5, "pandas": 25, "datacompy": 40}
    told |= {
        f"diff_against_{peer}": Result(large.ratio(peer, plan), targets[peer], "higher", "x our CPU")
        for peer in targets
        if peer in large.cpu
    }
    return {f"large_{size}_{name}": result for name, result in told.items()}


def _landed(times: Times) -> float:
    landed = median(times.cpu["land, shop"]) + median(times.cpu["land, Business Central"])
    return landed - median(times.cpu["making the records"])


def tell(size: int, times: Times) -> None:
    """What was measured, stage by stage."""
    print(f"{size:,} pairs: median of the rounds{'CPU s':>22}{'s':>10}{'spread':>16}{'MiB':>8}")
    for stage, cpu in times.cpu.items():
        wall = times.wall[stage]
        spread = f"{min(wall):.3f}-{max(wall):.3f}"
        memory = f"{times.memory[stage]:.0f}" if stage in times.memory else ""
        print(f"  {stage:42}{median(cpu):>10.3f}{median(wall):>10.3f}{spread:>16}{memory:>8}")
    for name, peak in times.peak.items():
        print(f"  peak of {name:34}{peak:>10.0f} MiB")
    for name, number in times.counted.items():
        print(f"  {name:42}{number:>10.6g}", flush=True)


def main() -> None:
    """Measures the sizes that are named, prints, and keeps the results beside earlier ones."""
    parser = argparse.ArgumentParser()
    parser.add_argument("sizes", nargs="*", type=int, default=[1_000_000])
    parser.add_argument("--peers", default="", help="a Python that has them; without one they are left out")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    file = Path(os.environ.get("TALK_DATA_DIR", "data")) / "bench.json"
    kept = json.loads(file.read_text()) if file.exists() else {}
    print(
        f"load {os.getloadavg()[0]:.1f} of {os.cpu_count()} cores, Python {sys.version.split()[0]}",
        flush=True,
    )
    small = _apart(SMALL, "", given.rounds)
    for size in given.sizes:
        times = _apart(size, given.peers, given.rounds)
        tell(size, times)
        for name, one in results(size, times, small).items():
            kept[name] = one.as_json()
            print(f"{name}: {one.value:.3g} {one.unit} (target {one.target:g}, {one.better} is better)")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(kept, indent=2) + "\n")


def _apart(size: int, python: str, rounds: int) -> Times:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(measure, (size, python, rounds))


if __name__ == "__main__":
    main()
