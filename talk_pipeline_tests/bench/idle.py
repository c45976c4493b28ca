"""What a whole run with nothing to do costs, beside the same of much smaller books.

Orders of two lines with their customers and products, or customers alone, in step; both systems are servers that
have nothing new to tell. A run is a process of its own, Dagster and start-up included: CPU seconds, the median of
the rounds, in which both books are looked at in turn. The first run of each, which compares everything, is told
beside it.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from statistics import median

from talk_pipeline.engine.state.connection import now
from talk_pipeline.engine.state.database import State
from talk_pipeline_tests.bench import engine, many, orders
from talk_pipeline_tests.bench.result import Result
from talk_pipeline_tests.bench.served import served

SMALL, LARGE, MANY = 10_000, 100_000, 1_000_000
ROUNDS = 5
TARGET = 1.5


def run(folder: Path) -> dict[str, Result]:
    """Orders."""
    return measured(folder, (SMALL, LARGE), orders.met)


def run_large(folder: Path) -> dict[str, Result]:
    """Customers alone, and a million of them."""
    return measured(folder, (SMALL, MANY), many.met)


def measured(
    folder: Path, sizes: tuple[int, int], met: Callable[[Path, int], engine.Book]
) -> dict[str, Result]:
    """Builds both books, and has them looked at round by round."""
    for size in sizes:
        flow = _build(met(folder / str(size), size))
    first: dict[int, float] = {}
    spent: dict[int, list[float]] = {size: [] for size in sizes}
    with served() as environment:
        for size in sizes:
            _synced(folder / str(size), environment)  # records are read as the systems at hand are described
            with State(folder / str(size)).once() as db:
                db.execute("delete from meta where starts_with(key, 'found:')")
            first[size] = _synced(folder / str(size), environment)
        for _ in range(ROUNDS):
            for size in sizes:
                spent[size].append(_synced(folder / str(size), environment))
    small, large = (median(spent[size]) for size in sizes)
    for size in sizes:
        print(f"  {size:,} {flow}s: {median(spent[size]):.2f} s, {first[size]:.2f} s where all is compared")
    return {f"idle_run_{flow}": Result(large / small, TARGET, "lower", f"x at {sizes[0]}")}


def _build(book: engine.Book) -> str:
    """Books that were read to the end just now; returns their flow."""
    state = book.db
    state.execute(
        "update watermark set modified_at = $past, fetched_at = $now, full_at = $now",
        {"past": now() - timedelta(hours=3), "now": now()},
    )
    state.execute("use memory")
    state.execute("detach state")
    return book.flow.name


def _synced(data: Path, environment: Mapping[str, str]) -> float:
    """A run of all flows, in CPU seconds."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith("TALK_")}
    before = getrusage(RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-m", "talk_pipeline", "sync", "--json"],
        env={**mine, **environment, "TALK_DATA_DIR": str(data)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    after = getrusage(RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
