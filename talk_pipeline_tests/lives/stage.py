"""Many lives in one world: a round is an event of each, and a run that may meet faults, or its end."""

import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg
import pytest

from talk_pipeline.flows.loading import PACKAGED
from talk_pipeline.systems.http import again
from talk_pipeline_tests.flow_files import replaced
from talk_pipeline_tests.lives.books import Books
from talk_pipeline_tests.lives.chances import weights
from talk_pipeline_tests.lives.judge import Judge
from talk_pipeline_tests.lives.life import Life
from talk_pipeline_tests.memory import memory
from talk_pipeline_tests.pipeline.charges import NAMED, REDEEMED, telling_gift_cards
from talk_pipeline_tests.pipeline.faults import rule
from talk_pipeline_tests.pipeline.records import customer, product
from talk_pipeline_tests.proof.killing import PLACES, cut, interrupted, is_cut
from talk_pipeline_tests.slowness import longest
from talk_pipeline_tests.world import World, opened_world

EVENTS = 12
ITEMS = 5
BREAKER = "breaker: {share: 0.5, minimum: 25, disappeared: 10}"
UNLIMITED = "breaker: {share: 1, minimum: 100000, disappeared: 100000, deletes: 100000}"
FAULTS = ({"drop": "before"}, {"drop": "after"}, {"status": 503}, {"status": 429, "retry_after": "0"})
REST = 8  # passes in which everything comes to rest, or never does


@dataclass(slots=True)
class Lived:
    """What came of it.

    Attributes:
        wrong: what came out otherwise than it must.
        named: differences that have a word, by that word.
        events: what happened, and how often.
        fewest: how many events the shortest life had.
    """

    wrong: list[str]
    named: Counter[str] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)
    fewest: int = 0


def lived(lives: int, *, seed: int, instance: dg.DagsterInstance) -> Lived:
    """Plays so many lives in a world of their own; with an even seed orders charge more than their lines."""
    rng, charging = random.Random(seed), seed % 2 == 0
    with (
        pytest.MonkeyPatch.context() as patch,
        tempfile.TemporaryDirectory(dir=memory()) as name,
        opened_world(Path(name), instance=instance, patch=patch) as world,
    ):
        patch.setattr(again, "BACKOFF_SECONDS", 0.01)
        patch.setenv("TALK_FLOWS_DIR", str(_flows(Path(name) / "flows", charging=charging)))
        if charging:
            patch.setenv("CUSTOMWEBSHOP_CONNECTOR", str(telling_gift_cards(Path(name) / "own.yaml")))
        longest(patch, Path(name), seconds=0)
        books = Books(world)
        try:
            return _play(world, books, lives, rng=rng, charging=charging)
        finally:
            books.close()


def _play(world: World, books: Books, number: int, *, rng: random.Random, charging: bool) -> Lived:
    buyers = [world.shop.post("customers", customer(f"C{n}"))["id"] for n in range(2)]
    items = [world.shop.post("products", product(f"P{n}"))["id"] for n in range(ITEMS)]
    lives = [
        Life(f"O{n}", books, rng=rng, buyer=rng.choice(buyers), items=items, charging=charging)
        for n in range(1, number + 1)
    ]
    turn, most = 0, 4 * EVENTS
    while turn < most and any(len(life.events) < EVENTS for life in lives):
        turn += 1
        _run(world, rng)
        books.look()
        likely = weights(min(1.0, turn / EVENTS), charging=charging)
        for life in lives:
            life.live(likely)
    world.shop.no_faults()
    world.bc.no_faults()
    wrong = [] if _rests(world) else ["it never comes to rest"]
    books.look()
    judge = Judge(world, books)
    return Lived(
        wrong + judge.wrong,
        judge.named,
        Counter(event for life in lives for event in life.events),
        min(len(life.events) for life in lives),
    )


def _run(world: World, rng: random.Random) -> None:
    """A run, or none, or one that meets faults or its end."""
    chance = rng.random()
    if chance < 0.15:
        return
    with _faults(world, rng, some=chance < 0.5):
        if chance < 0.75:
            world.pass_over(full=chance < 0.3)
            return
        place, nth = rng.choice(list(PLACES)), rng.randint(1, 3)
        try:
            with interrupted(PLACES[place], nth, by=cut, ever=True):
                world.pass_over()
        except BaseException as error:
            if not is_cut(error):
                raise


@contextmanager
def _faults(world: World, rng: random.Random, *, some: bool) -> Iterator[None]:
    if some:
        for api in (world.shop, world.bc):
            method = rng.choice(("POST", "PATCH", "GET"))
            api.faults(rule(method, "", times=rng.randint(1, 4), nth=rng.randint(1, 4), **rng.choice(FAULTS)))
    yield
    if some:
        world.shop.no_faults()
        world.bc.no_faults()


def _rests(world: World) -> bool:
    quiet = 0
    for _ in range(REST):
        run = world.step(full=True)
        quiet = quiet + 1 if run.writes() == 0 and not run.problems else 0
        if quiet == 2:
            return True
    return False


def _flows(folder: Path, *, charging: bool) -> Path:
    folder.mkdir()
    for file in (*PACKAGED.glob("*.yaml"), *((PACKAGED / "optional").glob("*.yaml"))):
        if file.stem in ("customer", "product", "order", "shipment", "invoice", "refund"):
            shutil.copy(file, folder)
    for file in folder.glob("*.yaml"):
        text = file.read_text(encoding="utf-8")
        edits = [(BREAKER, UNLIMITED)]
        if charging and file.stem == "order":
            edits += [NAMED, *REDEEMED]
        file.write_text(replaced(text, *edits), encoding="utf-8")
    return folder
