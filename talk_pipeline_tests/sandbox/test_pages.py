"""The pages of both servers, as a browser without scripts has them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from talk_pipeline.sandbox.server import Sandbox
from talk_pipeline_tests.sandbox.clients import CentralClient, Record, ShopClient, moment
from talk_pipeline_tests.sandbox.receiver import Receiver
from talk_pipeline_tests.sandbox.visitor import Page, Visitor

NASTY = """<script>alert("1")</script> & 'Sons' </textarea></option>"""


@dataclass
class Side:
    """One of the servers: its pages, its API, and what it calls the things the tests are about."""

    visitor: Visitor
    client: ShopClient | CentralClient
    set: str
    name: str
    number: str
    city: str
    modified: str

    def path(self, key: str) -> str:
        return f"customers/{key}" if isinstance(self.client, ShopClient) else f"customers({key})"

    def read(self, key: str) -> Record:
        found: Record = self.client.get(self.path(key))
        return found

    def page(self, made: Record) -> Page:
        return self.visitor.get(f"/customers/{made['id']}")

    def make(self, name: str = "Tågehorn Handel ApS") -> Record:
        return self.client.customer(**{self.name: name})


@pytest.fixture(params=["shop", "bc"])
def side(
    request: pytest.FixtureRequest, at_shop: Visitor, at_bc: Visitor, shop: ShopClient, bc: CentralClient
) -> Side:
    if request.param == "shop":
        return Side(at_shop, shop, "orders", "company_name", "number", "address.city", "updated_at")
    return Side(at_bc, bc, "salesOrders", "displayName", "number", "city", "lastModifiedDateTime")


def test_browse_and_search(side: Side) -> None:
    for number in range(51):
        time.sleep(0.002)  # a time of its own for each: it is told in milliseconds
        side.make(f"Customer of test {number:02}")
    first = side.visitor.get().follow("customers")
    assert first.heading == "customers"
    rows = first.soup.find_all("td", attrs={"data-name": side.name})
    assert len(rows) == 50
    assert rows[0].get_text() == "Customer of test 50", "the latest change first"
    second = first.follow("Next page")
    assert [row.get_text() for row in second.soup.find_all("td", attrs={"data-name": side.name})] == [
        "Customer of test 00"
    ]
    assert "Next page" not in second.links()
    found = side.visitor.get("/customers", q=" OF TEST 3")
    assert len(found.soup.find_all("td", attrs={"data-name": side.name})) == 10
    assert "Nothing holds “gnome”." in side.visitor.get("/customers", q="gnome").soup.get_text()


def test_create_edit_and_delete(side: Side) -> None:
    made = side.visitor.get("/customers").follow("New customer").press("Create", {side.name: "New"})
    assert (made.status, made.text("status")) == (200, "Created.")
    key = made.url.split("?")[0].rsplit("/", 1)[1]
    before = side.read(key)
    assert before[side.name] == "New"
    assert before[side.number], "numbered as by the API"

    saved = made.press("Save", {side.name: "Renamed", side.city: "Aarhus"})
    assert saved.text("status") == "Saved."
    after = side.read(key)
    assert after[side.name] == "Renamed"
    assert moment(after[side.modified]) > moment(before[side.modified])
    assert saved.fields()[side.city] == "Aarhus"

    assert saved.press("Save").text("status") == "Nothing was changed."
    assert side.read(key) == after

    gone = saved.press("Delete it for good")
    assert (gone.heading, gone.text("status")) == ("customers", "Deleted.")
    assert side.client.call("GET", side.path(key)).status_code in (404, 410)
    assert side.visitor.get(f"/customers/{key}").status in (404, 410)


@pytest.mark.parametrize("refused", ["shop", "bc"], indirect=True, ids=str)
def test_a_refusal_keeps_what_was_typed(refused: tuple[Side, dict[str, str], str]) -> None:
    side, typed, words = refused
    made = side.make()
    for button, page in (
        ("Save", side.page(made)),
        ("Create", side.visitor.get("/customers/new")),
    ):
        answer = page.press(button, typed)
        assert answer.status == 409
        assert words in answer.text("alert")
        assert {name: answer.fields()[name] for name in typed} == typed
        again = answer.press(button)
        assert words in again.text("alert"), "what was typed goes along again"
    assert side.read(made["id"])[side.name] == made[side.name]


@pytest.fixture
def refused(
    request: pytest.FixtureRequest, at_shop: Visitor, at_bc: Visitor, shop: ShopClient, bc: CentralClient
) -> tuple[Side, dict[str, str], str]:
    """A value that a server refuses, and the words of its API for it."""
    if request.param == "shop":
        shop.customer(number="TAKEN")
        side = Side(at_shop, shop, "orders", "company_name", "number", "address.city", "updated_at")
        return side, {"company_name": "Typed", "number": "TAKEN"}, "another record with number TAKEN"
    side = Side(at_bc, bc, "salesOrders", "displayName", "number", "city", "lastModifiedDateTime")
    return side, {"displayName": "Typed", "email": "no address"}, "'no address' is not a valid e-mail address"


def test_a_concurrent_edit_is_told_and_nothing_is_lost(side: Side) -> None:
    made = side.make()
    mine, theirs = side.page(made), side.page(made)
    assert theirs.press("Save", {side.name: "Theirs", side.city: "Odense"}).text("status") == "Saved."
    told = mine.press("Save", {side.name: "Mine"})
    assert told.status == 412
    assert "changed meanwhile" in told.text("alert")
    assert side.read(made["id"])[side.name] == "Theirs"
    assert told.fields()[side.name] == "Mine"
    assert "to “Theirs”" in told.note(side.name)
    assert told.fields()[side.city] == "Odense", "what I did not touch is what they made it"
    assert told.press("Save").text("status") == "Saved."
    page = side.page(made).fields()
    assert (page[side.name], page[side.city]) == ("Mine", "Odense")


def test_a_record_that_is_gone_keeps_what_was_typed(side: Side) -> None:
    made = side.make()
    mine = side.page(made)
    side.page(made).press("Delete it for good")
    told = mine.press("Save", {side.name: "Mine"})
    assert told.status in (404, 410)
    assert made["id"] in told.text("alert")
    assert told.fields()[side.name] == "Mine"


def test_a_text_of_several_lines_is_no_edit(at_shop: Visitor, shop: ShopClient) -> None:
    made = shop.customer(note="\r\none\ntwo", phone="first\nsecond")
    page = at_shop.get(f"/customers/{made['id']}")
    assert page.press("Save", {"email": "a@b.example"}).text("status") == "Saved."
    after = shop.get(f"customers/{made['id']}")
    assert (after["note"], after["phone"], after["email"]) == (made["note"], made["phone"], "a@b.example")


def test_values_are_escaped(side: Side) -> None:
    made = side.make(NASTY)
    page = side.page(made)
    pages = [page, side.visitor.get("/customers", q=NASTY), side.visitor.get(f"/{side.set}/new")]
    pages.append(page.press("Save", {side.name: "", side.city: NASTY * 3}))
    pages.append(side.visitor.get("/%3Cscript%3E"))
    for each in pages:
        assert not each.soup.find("script")
    assert page.fields()[side.name] == NASTY
    assert pages[1].soup.find("td", attrs={"data-name": side.name}).get_text() == NASTY  # type: ignore[union-attr]
    assert any(NASTY in option.get_text() for option in pages[2].soup.find_all("option"))


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://elsewhere.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Host": "elsewhere.example", "Origin": "http://elsewhere.example"},
    ],
    ids=str,
)
def test_a_page_elsewhere_changes_nothing(side: Side, headers: dict[str, str]) -> None:
    made = side.make()
    page = side.page(made)
    sent = {**page.fields(), side.name: "Theirs", "_do": "save"}
    requests = side.visitor.root.replace("/pages", "/requests")
    assert side.visitor.raw("POST", page.url, data=sent, headers=headers).status_code in (400, 403)
    assert side.visitor.raw("DELETE", requests, headers=headers).status_code in (400, 403)
    assert side.read(made["id"]) == made
    assert side.visitor.raw("GET", "", headers={"Host": "elsewhere.example"}).status_code == 400


def test_no_page_elsewhere_frames_one(side: Side) -> None:
    policy = side.visitor.raw("GET", "/customers").headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy
    assert "default-src 'none'" in policy


def test_every_page_has_its_landmarks_and_labels(
    sandbox: Sandbox, shop: ShopClient, bc: CentralClient
) -> None:
    for client in (shop, bc):
        client.control.reset()
    for root in sandbox.pages():
        visitor = Visitor(root)
        pages = [visitor.get()]
        for name in pages[0].links():
            listed = pages[0].follow(name)
            records = listed.soup.select("tbody a")
            record = visitor.get(root.split("/_sandbox")[0] + str(records[0]["href"]))
            pages += [listed, record, visitor.get(f"/{name}/new")]
            if "New line" in record.links():
                pages += [record.follow("New line")]
                pages += [record.follow(each.get_text()) for each in record.soup.select("tbody a")[:1]]
        visitor.close()
        for page in pages:
            assert page.status == 200
            assert page.heading
            assert page.soup.html is not None
            assert page.soup.html["lang"] == "en"
            assert all(len(page.soup.find_all(name)) == 1 for name in ("main", "header"))
            assert page.soup.find("meta", attrs={"name": "viewport"})
            ids = [str(each["id"]) for each in page.soup.find_all(id=True)]
            assert len(ids) == len(set(ids))
            labels = {label["for"] for label in page.soup.find_all("label")}
            inputs = page.soup.find_all(["input", "select", "textarea"])
            assert {each["id"] for each in inputs if each.get("type") != "hidden"} == labels
            described = {each["aria-describedby"] for each in inputs if each.get("aria-describedby")}
            assert described <= set(ids)


def test_what_the_pages_do_counts_as_nobodys_call(side: Side) -> None:
    made = side.make()
    side.client.control("DELETE", "/requests")
    side.page(made).press("Save", {side.name: "Edited"})
    assert side.client.control.requests()["total"] == 0


# -- who hears of it ----------------------------------------------------------------------------------------------


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    running = Receiver()
    yield running
    running.close()


def test_who_subscribed_to_changes_is_told(
    side: Side, receiver: Receiver, shop: ShopClient, bc: CentralClient
) -> None:
    made = side.make()
    subscribe: dict[str, Callable[[], object]] = {
        "orders": lambda: shop.create("webhooks", url=receiver.url, events=["customer.updated"], secret="s"),
        "salesOrders": lambda: bc.call(
            "POST",
            "subscriptions",
            {"notificationUrl": receiver.url, "resource": f"/api/v2.0/{bc.company}/customers"},
            root=True,
        ),
    }
    bc.control.settings(webhook_delay=0.1, webhook_pace=0.0005)
    subscribe[side.set]()
    side.page(made).press("Save", {side.name: "Edited"})
    assert made["id"] in str(receiver.documents())
