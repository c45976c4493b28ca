"""What a hundred edited orders cost in large books, beside the same in small ones: the latest ones, and any.

Orders with two lines, 10,000 and 100,000 of them, no server and no Dagster. CPU seconds of matching and planning,
the median of the rounds, in which both books are looked at in turn.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from statistics import median
from time import process_time

from talk_pipeline_tests.bench import books
from talk_pipeline_tests.bench.engine import Book
from talk_pipeline_tests.bench.result import Result

SMALL, LARGE = 10_000, 100_000
TOUCHED = 100
ROUNDS = 5
TARGET = 1.5
FLOW = "order"


def run(folder: Path, sizes: tuple[int, int] = (SMALL, LARGE)) -> dict[str, Result]:
    """Builds both books, and edits orders of them round by round."""
    made = {size: met(folder / str(size), size) for size in sizes}
    results: dict[str, Result] = {}
    for which, positions in (("latest", latest), ("scattered", scattered)):
        seconds: dict[int, list[float]] = {size: [] for size in sizes}
        for _ in range(ROUNDS):
            for size, book in made.items():
                seconds[size].append(edited(book, positions(size)))
        small, large = (median(seconds[size]) for size in sizes)
        print(f"  {TOUCHED} {which} orders of {sizes[0]:,}: {small:.3f} s, of {sizes[1]:,}: {large:.3f} s")
        results[f"orders_{which}_touched"] = Result(large / small, TARGET, "lower", f"x at {sizes[0]}")
    return results


def latest(size: int) -> Sequence[int]:
    """The positions of the youngest."""
    return range(size - TOUCHED, size)


def scattered(size: int) -> Sequence[int]:
    """As many all over the books."""
    return range(size // TOUCHED // 2, size, size // TOUCHED)


def met(folder: Path, size: int) -> Book:
    """Books of this size, in step."""
    book = Book(folder, FLOW, size)
    book.first_meeting()
    return book


def edited(book: Book, positions: Sequence[int]) -> float:
    """What matching and planning edits in the shop cost, in CPU seconds; afterwards they are taken back."""
    save(book, positions, edited=True)
    started = process_time()
    book.plan(FLOW, stage="edited")
    cost = process_time() - started
    assert book.planned() == len(positions), book.planned()
    save(book, positions, edited=False)
    book.plan(FLOW, stage="taken back")
    book.clear("taken back")
    assert book.planned() == 0
    return cost


def save(book: Book, positions: Sequence[int], *, edited: bool) -> None:
    """The shop says these orders anew, each time later than before."""
    book.saved += 1
    moment = books.START + timedelta(days=1, hours=book.saved)
    shop = [replace(book.make(at, edited)[0], modified_at=moment) for at in positions]
    book.land(FLOW, shop, [])
