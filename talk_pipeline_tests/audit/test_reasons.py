"""A reason explains what it is about, and nothing beside it: not what happened to the same record otherwise."""

from pathlib import Path

import pytest

from talk_pipeline_tests.audit.planting import LONG_AGO, in_step, named
from talk_pipeline_tests.flow_files import copied_flows, edited_flows, replaced
from talk_pipeline_tests.pipeline.by_hand import link, unlink
from talk_pipeline_tests.pipeline.records import customer, line, order, product
from talk_pipeline_tests.world import World

SHARED = ("  shared: businesscentral", "  shared_by: [organization_number]\n  shared: businesscentral")
BREAKER = ("breaker: {share: 0.5, minimum: 25", "breaker: {share: 0.1, minimum: 1")
NUMBERS = ("C1", "C2", "C3", "C4")


@pytest.fixture
def disputed(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[str, str]]:
    """Customers by number, in step but for their phone numbers, which both sides edited: a person is to decide."""
    edited_flows(tmp_path, monkeypatch, customer=("conflict: last_writer #", "conflict: manual #"))
    for number in NUMBERS:
        world.shop.post("customers", customer(number))
    assert not world.pass_over(full=True)
    pairs = in_step(world, "customer")
    for n, (shop_id, bc_id) in enumerate(pairs):
        world.shop.patch("customers", shop_id, {"phone": f"+45 33 12 10 1{n}"})
        world.bc.patch("customers", bc_id, {"phoneNumber": f"+45 33 12 20 2{n}"})
    world.sync("customer")
    assert world.sql("select count(*) from change where hold_kind = 'manual'") == [(len(NUMBERS),)]
    assert not named("customer")
    return dict(zip(NUMBERS, pairs, strict=True))


def test_an_open_conflict_explains_its_property_alone(
    world: World, disputed: dict[str, tuple[str, str]]
) -> None:
    (gone, left), (second, there), (third, other), _ = disputed.values()
    world.shop.back_office("DELETE", f"customers/{gone}", {}, ago=LONG_AGO)
    with world.database() as db:
        for shop_id, bc_id in ((second, "x"), (third, there), (second, other)):
            db.execute("update link set bc_id = ? where part = 'customer' and shop_id = ?", [bc_id, shop_id])
    assert {key for _, name, key in named("customer") if name == ""} == {
        gone,
        left,
        second,
        there,
        third,
        other,
    }


def test_an_open_conflict_explains_no_twin(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edited_flows(tmp_path, monkeypatch, order=("conflict: last_writer", "conflict: manual"))
    buyer, item = (
        world.shop.post("customers", customer())["id"],
        world.shop.post("products", product())["id"],
    )
    made = world.shop.post("orders", order("O1", buyer, [line(item)]))["id"]
    assert not world.pass_over(full=True)
    there = world.counterpart("order", made)
    world.shop.patch("orders", made, {"email": "one@example.com"})
    world.bc.patch("salesOrders", there, {"email": "other@example.com"})
    world.sync("order")
    assert world.sql("select property from change where hold_kind = 'manual'") == [("email",)]
    assert not named("order")
    twin = {
        name: world.bc.get("salesOrders", there)[name] for name in ("customerId", "externalDocumentNumber")
    }
    planted = world.bc.back_office("POST", "salesOrders", twin, ago=LONG_AGO)["id"]
    assert {key for _, name, key in named("order") if name == ""} == {there, planted, "None"}


@pytest.mark.parametrize("edited", [False, True], ids=["a wrong link", "a key that the shop has edited"])
def test_a_planned_key_explains_no_wrong_link(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, edited: bool
) -> None:
    """What it would bring about waits, stopped by the circuit breaker; so does what is right."""
    file = copied_flows(tmp_path / "flows", customer=("number: shop #", "number: series #")) / "customer.yaml"
    by_vat = "match: [organization_number]"
    told = replaced(file.read_text(), ("match: [number, organization_number, email]", by_vat), BREAKER)
    file.write_text(told, encoding="utf-8")
    monkeypatch.setenv("TALK_FLOWS_DIR", str(file.parent))
    world.bc.control("settings", {"customer_numbers": "series"})
    vats = ("12345671", "12345672", "12345673")
    keys = [world.shop.post("customers", customer(f"C{vat}", organization_number=vat))["id"] for vat in vats]
    assert not world.pass_over("customer", full=True)
    first, second = ((key, world.counterpart("customer", key)) for key in keys[:2])
    if edited:
        world.shop.patch("customers", first[0], {"organization_number": vats[1]})
        world.bc.patch("customers", second[1], {"displayName": "Another"})
    else:
        with world.database() as db:
            for there, key in (("x", first[0]), (first[1], second[0]), (second[1], first[0])):
                db.execute("update link set bc_id = ? where part = 'customer' and shop_id = ?", [there, key])
        for key in keys[:2]:
            world.shop.patch("customers", key, {"phone": "+45 33 12 10 11"})
    assert "change_volume_safe" in str(world.sync("customer").failed())
    assert world.sql("select 1 from change where property = 'organization_number'")
    linked = {key for _, name, key in named("customer") if name == ""}
    assert linked == (set() if edited else {*first, *second})


@pytest.mark.parametrize("to", ["another company's", "nobody's"])
def test_what_an_account_shares_is_judged(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, to: str
) -> None:
    edited_flows(tmp_path, monkeypatch, customer=SHARED)
    first, second, third = (
        world.shop.post("customers", customer(number, organization_number=vat))["id"]
        for number, vat in (("C1", "12345678"), ("C2", "12345678"), ("C3", "87654321"))
    )
    assert not world.pass_over(full=True)
    assert not world.pass_over(full=True)
    beside = "from link where part = 'customer' and state = 'attached'"
    ((attached, own),) = world.sql(f"select shop_id, shared_id {beside}")
    assert attached in (first, second)
    assert not named("customer")
    shared = world.counterpart("customer", third) if to == "another company's" else "nobody"
    with world.database() as db:
        db.execute("update link set shared_id = ? where shared_id = ?", [shared, own])
    assert named("customer") == {("customer", "", attached), ("customer", "", shared)}


@pytest.mark.parametrize("column", ["shared_id", "bc_id"])
def test_what_a_person_linked_is_with_whom_the_person_said(world: World, column: str) -> None:
    """No key has to tell the two; that one has what it shares is no proof either."""
    first, second, third = (world.shop.post("customers", customer(number))["id"] for number in NUMBERS[:3])
    assert not world.pass_over("customer", full=True)
    own, others = world.counterpart("customer", first), world.counterpart("customer", third)
    unlink(second)
    if column == "bc_id":
        unlink(first)
    link(second, own)
    assert not world.pass_over("customer", full=True)
    before = named("customer")
    assert ("customer", "", second) not in before
    with world.database() as db:
        if column == "bc_id":
            db.execute("delete from link where part = 'customer' and shop_id = ?", [third])
        db.execute(f"update link set {column} = ? where part = 'customer' and shop_id = ?", [others, second])
    assert {("customer", "", second), ("customer", "", others)} <= named("customer") - before


@pytest.mark.parametrize(("ahead", "explained"), [(60, True), (365 * 86_400, False)])
def test_a_time_that_is_yet_to_come_tells_of_no_edit(world: World, ahead: float, explained: bool) -> None:
    """A clock that was wrong for a moment would explain whatever the record says for a year."""
    made = world.shop.post("customers", customer())["id"]
    assert not world.pass_over(full=True)
    world.shop.back_office("PATCH", f"customers/{made}", {"website": "www.edited.example"}, ago=-ahead)
    assert (("customer", "website", made) not in named("customer")) is explained


HOUR, DAY = 3600.0, 86_400.0


@pytest.mark.parametrize(
    ("edited", "read", "explained"),
    [(HOUR, 2 * HOUR, True), (2 * HOUR, HOUR, False), (2 * DAY, 3 * DAY, False)],
    ids=["since the last run", "before it", "longer ago than a day"],
)
def test_an_edit_is_a_reason_only_until_a_run_should_have_taken_it_up(
    world: World, edited: float, read: float, *, explained: bool
) -> None:
    """Runs that go on and pass it over would be explained by it for ever; so would one that nobody starts."""
    made = world.shop.post("customers", customer())["id"]
    assert not world.pass_over(full=True)
    with world.database() as db:
        for column, ago in (
            ("modified_at", 30 * DAY),
            ("fetched_at", read),
        ):  # nothing else happened for long
            db.execute(f"update watermark set {column} = {column} - to_seconds(?)", [ago])
        db.execute("update run set started_at = started_at - to_seconds(?)", [read])
    world.shop.back_office("PATCH", f"customers/{made}", {"website": "www.edited.example"}, ago=edited)
    assert (("customer", "website", made) not in named("customer")) is explained
