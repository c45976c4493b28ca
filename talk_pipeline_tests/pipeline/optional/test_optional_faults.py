"""People, places to ship to and a page of an extension, born on either side while runs die and answers are lost."""

import shutil
from pathlib import Path

import pytest

from talk_pipeline.systems.businesscentral.entities import PACKAGED
from talk_pipeline_tests.pipeline.documents import with_optional
from talk_pipeline_tests.pipeline.faults import rule
from talk_pipeline_tests.pipeline.mishaps import cut_short
from talk_pipeline_tests.pipeline.optional.test_contacts import company_of, person
from talk_pipeline_tests.pipeline.optional.test_further_records import Page
from talk_pipeline_tests.pipeline.records import Row, customer
from talk_pipeline_tests.pipeline.second_opinion import unexplained
from talk_pipeline_tests.proof.killing import PLACES
from talk_pipeline_tests.variants import variants
from talk_pipeline_tests.world import World

FLOWS = ("customer", "contact", "delivery_address", "employee")
NAMES = {"contacts": "name", "delivery_addresses": "name", "employees": "first_name"}


class Books:
    """Records of three optional flows, some born on each side."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.page = Page(world, "shipToAddresses")
        self.buyer = world.shop.post("customers", customer())["id"]
        assert world.step("customer").problems == []
        self.company = company_of(world, self.buyer)
        self.said = {kind: set[str]() for kind in NAMES}
        self.turn("Early")
        assert world.step(*FLOWS).problems == []

    def turn(self, word: str) -> None:
        """People enter one or two of each."""
        world = self.world
        world.shop.post("contacts", person(f"{word} shop", self.buyer))
        there = {"type": "Person", "displayName": f"{word} there", "companyNumber": self.company}
        world.bc.post("contacts", there)
        said = {"number": word.upper(), "customer_id": self.buyer, "name": f"{word} shop"}
        world.shop.post("delivery_addresses", said)
        world.shop.post("employees", {"first_name": f"{word} shop"})
        world.bc.post("employees", {"givenName": f"{word} there"})
        self.said["contacts"] |= {f"{word} shop", f"{word} there"}
        self.said["delivery_addresses"] |= {f"{word} shop"}
        self.said["employees"] |= {f"{word} shop", f"{word} there"}

    def held(self) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
        """What each side has of each kind."""
        shop, bc = self.world.shop, self.world.bc
        here = {
            kind: sorted(str(row[name]) for row in shop.all(kind).values()) for kind, name in NAMES.items()
        }
        people = [row for row in bc.all("contacts").values() if row["type"] == "Person"]
        rows: dict[str, tuple[list[Row], str]] = {
            "contacts": (people, "displayName"),
            "delivery_addresses": (self.page.rows(), "name"),
            "employees": (list(bc.all("employees").values()), "givenName"),
        }
        there = {kind: sorted(str(row[name]) for row in of) for kind, (of, name) in rows.items()}
        assert {row["companyNumber"] for row in people} == {self.company}
        return here, there

    def settled(self) -> None:
        """All is well again: each is there once on both sides, and then there is nothing to write."""
        for api in (self.world.shop, self.world.bc):
            api.no_faults()
        for _ in range(2):
            run = self.world.step(*FLOWS, full=True)
            assert run.problems == []
        assert not run.failed()
        said = {kind: sorted(names) for kind, names in self.said.items()}
        assert self.held() == (said, said)
        self.world.forget_requests()
        assert self.world.pass_over(*FLOWS, full=True) == []
        assert not any(self.world.writes().values())
        assert not unexplained(*FLOWS)


@pytest.fixture
def books(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Books:
    with_optional(world, tmp_path, monkeypatch, *FLOWS[1:], "customer_contacts")
    shutil.copytree(PACKAGED / "pages", tmp_path / "entities")
    monkeypatch.setenv("BUSINESSCENTRAL_ENTITIES_DIR", str(tmp_path / "entities"))
    return Books(world)


@variants(
    "place", ["settle", "leave", *(place for place in PLACES if place not in ("settle", "leave"))], first=2
)
def test_a_run_that_is_cut_leaves_nothing_twice(books: Books, place: str) -> None:
    books.turn("Late")
    cut_short(books.world, *FLOWS, at=place)
    books.settled()


TROUBLES = [
    {"drop": "after"},
    {"status": 503, "when": "after"},
    {"drop": "before"},
    {"status": 504, "when": "after"},
    {"status": 500, "when": "after"},
    {"status": 408, "when": "after"},
    {"status": 429},
    {"truncate": True},
    {"status": 502, "body": "<html>Sorry</html>", "content_type": "text/html"},
]


@variants("fault", TROUBLES, first=2, ids=str)
def test_lost_answers_of_either_side_leave_nothing_twice(books: Books, fault: Row) -> None:
    books.turn("Late")
    for api in (books.world.shop, books.world.bc):
        api.faults(rule("POST", "*", times=4, **fault), rule("PATCH", "*", times=2, **fault))
    books.world.pass_over(*FLOWS)
    books.settled()
