"""Pages of two extensions that nobody here has seen: drafted from what they declare, connected by that alone.

They have words of their own for keys, times and collections, options that are texts, numbers of five decimals and
blank ids. Nothing is added to the drafts by hand, and no code knows a word of them.
"""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pytest

from talk_pipeline.systems.businesscentral.values import ZERO_GUID
from talk_pipeline_tests.cli.command_line import run
from talk_pipeline_tests.docs.documents import ROOT
from talk_pipeline_tests.flow_files import copied_flows
from talk_pipeline_tests.pipeline.faults import rule
from talk_pipeline_tests.pipeline.records import Row, customer, line, order, product
from talk_pipeline_tests.pipeline.second_opinion import unexplained
from talk_pipeline_tests.world import World

WORKSHOP, FLEET = "fixit/workshop/v2.1", "lend/fleet/v1.0"
JOB = """
flow: job
title: Repairs
customwebshop: {asset: job, entity: orders}
businesscentral: {asset: repair_jobs, entity: repairJobs}
match: [number]
create_key: number
properties:
  - {shop: number,          dir: ->,  bc: jobNo,      type: code(20), only: create}
  - {shop: customer_id,     dir: <->, bc: ownerGuid,  type: reference(customer)}
  - {shop: ordered_at,      dir: <->, bc: promisedAt, type: moment}
  - {shop: discount_amount, dir: <->, bc: hours,      type: decimal(5)}
  - {shop: department,      dir: <->, bc: hall.tag,   type: code(10)}
  - {shop: project,         dir: <->, bc: bay.tag,    type: code(10)}
  - {shop: status,          dir: <->, bc: phase,      type: text(30),
     values: {open: "", processing: In Progress, completed: Done & Dusted}, reads: {Put Off: open}}
children:
  lines:
    customwebshop: lines
    businesscentral: usedParts
    match: product_id
    properties:
      - {shop: product_id,  dir: <->, bc: itemGuid, type: reference(product), required: true}
      - {shop: quantity,    dir: <->, bc: consumed, type: decimal(5)}
      - {shop: description, dir: <->, bc: remark,   type: text(50)}
      # the shop wants a price of every line, and the page has none
      - {shop: unit_price,  dir: <-,  bc: consumed, type: decimal(5), only: create}
settings:
  create: both
"""
RATE = """
flow: rate
title: Rates
customwebshop: {asset: rate, entity: prices}
businesscentral: {asset: hire_rates, entity: rates}
match: [number]
create_key: number
properties:
  - {shop: number,           dir: <-,  bc: rateKey,  type: text(36), only: create}
  - {shop: product_id,       dir: <->, bc: itemKey,  type: reference(product), only: create, required: true}
  - {shop: group,            dir: <->, bc: tariff,   type: text(20)}
  - {shop: minimum_quantity, dir: <->, bc: fromDays, type: decimal(5)}
  - {shop: price,            dir: <->, bc: perDay,   type: decimal(5)}
  - {shop: valid_from,       dir: <->, bc: opensOn,  type: date}
settings:
  create: both
  number: series
"""


class Page:
    """A set of one of the pages, as those see it who work there."""

    def __init__(self, world: World, api: str, name: str, key: str) -> None:
        company = str(world.bc.http.base_url).rstrip("/").rpartition("/")[2]
        root = world.environment["BUSINESSCENTRAL_URL"].removesuffix("v2.0")
        self._bc, self._url, self._key = world.bc, f"{root}{api}/{company}/{name}", key

    def rows(self, expand: str = "") -> list[Row]:
        return list(self._bc.read(self._bc.http.get(f"{self._url}{expand}"))["value"])

    def post(self, **values: object) -> Row:
        return dict(self._bc.read(self._bc.http.post(self._url, json=values)))

    def patch(self, row: Row, **values: object) -> None:
        there = f"{self._url}({row[self._key]})"
        self._bc.read(
            self._bc.http.patch(there, json=values, headers={"If-Match": row.get("@odata.etag", "*")})
        )

    def delete(self, row: Row) -> None:
        self._bc.read(self._bc.http.delete(f"{self._url}({row[self._key]})"))


@pytest.fixture
def drafted(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of descriptions, as the command writes them, with the flows beside it."""
    if world.profile != "reference":
        pytest.skip("this shop keeps no prices")
    for arguments in (("repairJobs", "--api", WORKSHOP), ("hireRates", "--api", FLEET, "--as", "rates")):
        done = run("new-entity", *arguments)
        assert done.returncode == 0, done.stderr
    monkeypatch.setenv("BUSINESSCENTRAL_ENTITIES_DIR", str(tmp_path / "entities"))
    flows = copied_flows(tmp_path / "flows")
    (flows / "order.yaml").unlink()
    (flows / "job.yaml").write_text(JOB, encoding="utf-8")
    (flows / "rate.yaml").write_text(RATE, encoding="utf-8")
    monkeypatch.setenv("TALK_FLOWS_DIR", str(flows))
    return tmp_path / "entities"


@pytest.fixture
def jobs(world: World, drafted: Path) -> Page:
    return Page(world, WORKSHOP, "repairJobs", "jobGuid")


@pytest.fixture
def rates(world: World, drafted: Path) -> Page:
    return Page(world, FLEET, "hireRates", "rateKey")


@pytest.fixture
def halls(world: World, drafted: Path) -> Mapping[str, Row]:
    """Two halls, each with a bay of the same tag."""
    hall, bay = (
        Page(world, WORKSHOP, "repairHalls", "hallGuid"),
        Page(world, WORKSHOP, "repairBays", "bayGuid"),
    )
    found = {tag: hall.post(tag=tag) for tag in ("NORTH", "SOUTH")}
    for one in found.values():
        one["bay"] = bay.post(hallGuid=one["hallGuid"], tag="B1")
    return found


def job(number: str, **values: object) -> Row:
    """Of nobody and with nothing, as far as nothing else is said."""
    return order(number, "", []) | {"customer_id": None, "lines": [], **values}


def quiet(world: World) -> None:
    done = world.step(full=True)
    assert done.problems == []
    assert not done.failed()
    assert done.writes() == 0
    assert not unexplained("job", "rate")


def test_no_code_knows_a_word_of_them() -> None:
    for file in (ROOT / "talk_pipeline").rglob("*.*"):
        if "sandbox" not in file.parts and file.suffix in (".py", ".yaml", ".json", ".sql"):
            text = file.read_text(encoding="utf-8").lower()
            assert not [word for word in ("repair", "hirerate", "workshop", "ratekey") if word in text], file


def test_the_draft_says_all_that_is_needed(drafted: Path) -> None:
    text = (drafted / "repairJobs.yaml").read_text(encoding="utf-8")
    for told in (
        "api: fixit/workshop/v2.1\nkey: jobGuid\nmodified: lastChangeAt # by its name",
        "notices: false",
        "  hall: {named_by: hallGuid, set: repairHalls, key: hallGuid, properties: {tag: text(10)}}\n",
        "  bay: {named_by: bayGuid, set: repairBays, key: bayGuid, within: {hallGuid: hallGuid}, properties: ",
        "  usedParts:\n    key: partGuid\n    nested: true",
        "promisedAt: datetime\n",
    ):
        assert told in text
    text = (drafted / "rates.yaml").read_text(encoding="utf-8")
    assert "entity: rates\nset: hireRates\napi: lend/fleet/v1.0\nkey: rateKey\nmodified: updatedUtc #" in text
    done = run("check-config")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "$metadata" not in done.stdout
    assert "repairJobs: may be read, created, changed, deleted; it tells of no change" in done.stdout


def test_repairs_with_their_parts_go_both_ways(world: World, jobs: Page, halls: Mapping[str, Row]) -> None:
    buyer = world.shop.post("customers", customer())["id"]
    items = [world.shop.post("products", product(f"P{n}"))["id"] for n in range(3)]
    lines = [line(items[0], "1.12345"), line(items[1], "2")]
    said = {
        "ordered_at": "2026-03-01T09:30:15.250Z",
        "department": "south",
        "project": "B1",
        "status": "processing",
    }
    key = world.shop.post(
        "orders",
        job("R1", customer_id=buyer, lines=lines, discount_amount="7.12345", **said),
    )["id"]
    bare = world.shop.post("orders", job("R2"))["id"]
    assert world.step().problems == []
    held, blank = jobs.rows("?$expand=usedParts")
    assert (held["jobNo"], held["ownerGuid"]) == ("R1", world.counterpart("customer", buyer))
    assert (held["phase"], held["hours"], held["promisedAt"]) == (
        "In Progress",
        Decimal("7.12345"),
        "2026-03-01T09:30:15.25Z",
    )
    assert (held["hallGuid"], held["bayGuid"]) == (
        halls["SOUTH"]["hallGuid"],
        halls["SOUTH"]["bay"]["bayGuid"],
    )
    assert {one["consumed"] for one in held["usedParts"]} == {Decimal("1.12345"), Decimal(2)}
    assert (blank["ownerGuid"], blank["hallGuid"], blank["bayGuid"]) == (ZERO_GUID,) * 3
    quiet(world)

    # from there: each kind of value, a part changed, one gone and one new
    world.let_time_pass()
    north = halls["NORTH"]
    jobs.patch(
        held,
        phase="Done & Dusted",
        hours=0.00001,
        promisedAt="2026-04-02T00:00:00.007Z",
        hallGuid=north["hallGuid"],
        bayGuid=north["bay"]["bayGuid"],
        ownerGuid=ZERO_GUID,
    )
    jobs.patch(blank, ownerGuid=world.counterpart("customer", buyer), phase="Put Off")
    parts = Page(world, WORKSHOP, f"repairJobs({held['jobGuid']})/usedParts", "partGuid")
    gone, kept = sorted(parts.rows(), key=lambda one: one["consumed"])
    parts.patch(kept, consumed=2.5, remark="Worn out")
    parts.delete(gone)
    parts.post(itemGuid=world.counterpart("product", items[2]), consumed=4)
    assert world.step(full=True).problems == []
    shown = world.shop.get("orders", key)
    assert (shown["status"], shown["discount_amount"], shown["ordered_at"]) == (
        "completed",
        "0.00001",
        "2026-04-02T00:00:00.007Z",
    )
    assert (shown["department"], shown["project"], shown["customer_id"]) == ("NORTH", "B1", None)
    assert [(one["product_id"], one["quantity"], one["description"]) for one in shown["lines"]] == [
        (items[1], "2.5", "Worn out"),
        (items[2], "4", "Product P2"),
    ]
    other = world.shop.get("orders", bare)
    assert (other["customer_id"], other["status"]) == (buyer, "open")
    quiet(world)
    assert next(one for one in jobs.rows() if one["jobNo"] == "R2")["phase"] == "Put Off", "it reads as open"

    # and back again, with a record born there
    world.shop.patch(
        "orders",
        key,
        {
            "discount_amount": "0",
            "ordered_at": "2026-05-01T12:00:00Z",
            "customer_id": buyer,
            "lines": [shown["lines"][1] | {"quantity": "4.00001"}],
        },
    )
    jobs.post(
        jobNo="R3",
        ownerGuid=world.counterpart("customer", buyer),
        phase="In Progress",
        usedParts=[{"itemGuid": world.counterpart("product", items[0]), "consumed": 3}],
    )
    assert world.step().problems == []
    held = next(one for one in jobs.rows("?$expand=usedParts") if one["jobNo"] == "R1")
    assert (held["hours"], held["promisedAt"], held["ownerGuid"]) == (
        0,
        "2026-05-01T12:00:00Z",
        world.counterpart("customer", buyer),
    )
    assert [one["consumed"] for one in held["usedParts"]] == [Decimal("4.00001")]
    born = next(one for one in world.shop.all("orders").values() if one["number"] == "R3")
    assert (born["status"], [one["quantity"] for one in born["lines"]]) == ("processing", ["3"])
    last = next(one for one in jobs.rows() if one["jobNo"] == "R3")
    assert last["promisedAt"][:19] == born["ordered_at"][:19], "the shop says one where it is told none"
    quiet(world)


def test_rates_are_born_on_either_side(world: World, rates: Page) -> None:
    items = [world.shop.post("products", product(f"P{n}"))["id"] for n in range(2)]
    assert world.step("product").problems == []
    there = [world.counterpart("product", key) for key in items]
    rates.post(itemKey=there[0], tariff="Week-End", perDay=12.34567, fromDays=2.5, opensOn="2027-01-31")
    said = {"product_id": items[1], "group": "Trade (10%)", "price": "0.00001", "minimum_quantity": "3"}
    key = world.shop.post("prices", said)["id"]
    assert world.step("product", "rate").problems == []
    (born,) = [row for one, row in world.shop.all("prices").items() if one != key]
    assert (
        born["product_id"],
        born["group"],
        born["price"],
        born["minimum_quantity"],
        born["valid_from"],
    ) == (items[0], "Week-End", "12.34567", "2.5", "2027-01-31")
    own = next(one for one in rates.rows() if one["itemKey"] == there[1])
    assert (own["tariff"], own["perDay"], own["opensOn"]) == ("Trade (10%)", Decimal("0.00001"), "0001-01-01")
    quiet(world)

    world.let_time_pass()
    world.shop.patch("prices", born["id"], {"group": None, "price": "9.9"})
    rates.patch(own, fromDays=0, opensOn="2027-02-01")
    assert world.step("rate").problems == []
    assert sorted((one["tariff"].strip(), one["perDay"]) for one in rates.rows()) == [
        ("", Decimal("9.9")),
        ("Trade (10%)", Decimal("0.00001")),
    ]
    shown = world.shop.get("prices", key)
    assert (shown["minimum_quantity"], shown["valid_from"]) == ("0", "2027-02-01")
    quiet(world)


def test_what_is_not_there_waits_by_name(world: World, jobs: Page, halls: Mapping[str, Row]) -> None:
    """A bay of another hall is none of this one."""
    bays = Page(world, WORKSHOP, "repairBays", "bayGuid")
    bays.post(hallGuid=halls["NORTH"]["hallGuid"], tag="B2")
    said = {"department": "SOUTH", "project": "B2"}
    key = world.shop.post("orders", job("R1", **said))["id"]
    other = world.shop.post("orders", job("R2"))["id"]
    assert world.step("job").problems == []
    assert [one["jobNo"] for one in jobs.rows()] == ["R2"]
    assert world.counterpart("job", other) == jobs.rows()[0]["jobGuid"]
    assert world.sql("select reason from refusal") == [
        ("repairBays of Business Central has none whose tag is 'B2'",)
    ]
    bays.post(hallGuid=halls["SOUTH"]["hallGuid"], tag="B2")
    assert world.step("job", full=True).problems == []
    world.shop.patch("orders", key, {"project": "B1"})
    assert world.step("job").problems == []
    (held,) = [one for one in jobs.rows() if one["jobNo"] == "R1"]
    assert held["bayGuid"] == halls["SOUTH"]["bay"]["bayGuid"], "the hall that is not edited goes along"
    quiet(world)


def test_lost_answers_and_edits_meanwhile_do_no_harm(world: World, jobs: Page) -> None:
    keys = [world.shop.post("orders", job(f"R{n}"))["id"] for n in range(2)]
    world.bc.faults(rule("POST", "*batch*", drop="after"))
    for _ in range(2):
        world.step("job")
        world.bc.no_faults()
    assert [one["jobNo"] for one in jobs.rows()] == ["R0", "R1"]
    world.let_time_pass()
    world.shop.patch("orders", keys[0], {"discount_amount": "3"})
    world.bc.faults(
        {"match": {"method": "PATCH", "path": "*repairJobs*"}, "fault": {"status": 409}, "times": 1}
    )
    world.step("job")
    world.bc.no_faults()
    assert world.step("job").problems == []
    assert [one["hours"] for one in jobs.rows()] == [3, 0]
    quiet(world)
