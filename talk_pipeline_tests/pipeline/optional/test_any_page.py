"""A page of Business Central that no code knows: described by one command, kept in step by a flow file."""

from pathlib import Path

import pytest
import yaml

from talk_pipeline_tests.cli.command_line import run
from talk_pipeline_tests.docs.documents import ROOT
from talk_pipeline_tests.pipeline.records import Row, customer
from talk_pipeline_tests.world import World

API = "sample/loyalty/v1.0"
FLOW = """
flow: member
title: Members
customwebshop: {asset: member, entity: customers}
businesscentral: {asset: loyalty_members, entity: loyaltyMembers}
match: [number]
create_key: number
properties:
  - {shop: number,       dir: ->,  bc: number,   type: code(20), only: create}
  - {name: level,        dir: ->,  bc: level,    type: text(20), only: create}
  - {shop: company_name, dir: <->, bc: fullName, type: text(100), required: true}
  - {shop: email,        dir: <->, bc: eMail,    type: email(80)}
  - {shop: active,       dir: <->, bc: closed,   type: bool, values: {true: "false", false: "true"}, blank: true}
settings:
  constants: {level: Gold Plus}
"""


class Page:
    """The page as those see it who work there."""

    def __init__(self, world: World) -> None:
        company = str(world.bc.http.base_url).rstrip("/").rpartition("/")[2]
        self._world = world
        self._url = (
            f"{world.environment['BUSINESSCENTRAL_URL'].removesuffix('v2.0')}{API}/{company}/loyaltyMembers"
        )

    def rows(self) -> dict[str, Row]:
        return {
            row["number"]: row for row in self._world.bc.read(self._world.bc.http.get(self._url))["value"]
        }

    def edit(self, number: str, **values: object) -> None:
        there = f"{self._url}({self.rows()[number]['systemId']})"
        self._world.bc.read(self._world.bc.http.patch(there, json=values, headers={"If-Match": "*"}))

    def delete(self, number: str) -> None:
        self._world.bc.read(self._world.bc.http.delete(f"{self._url}({self.rows()[number]['systemId']})"))


@pytest.fixture
def described(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The description that the command writes, and the flow beside it."""
    done = run("new-entity", "loyaltyMembers", "--api", API)
    assert done.returncode == 0, done.stderr
    monkeypatch.setenv("BUSINESSCENTRAL_ENTITIES_DIR", str(tmp_path / "entities"))
    flows = tmp_path / "flows"
    flows.mkdir()
    (flows / "member.yaml").write_text(FLOW, encoding="utf-8")
    monkeypatch.setenv("TALK_FLOWS_DIR", str(flows))
    return tmp_path / "entities" / "loyaltyMembers.yaml"


@pytest.fixture
def page(world: World, described: Path) -> Page:
    return Page(world)


def test_no_code_knows_the_page() -> None:
    for file in (ROOT / "talk_pipeline").rglob("*.*"):
        if "sandbox" not in file.parts and file.suffix in (".py", ".yaml", ".json", ".sql"):
            assert "loyalty" not in file.read_text(encoding="utf-8").lower(), file


def test_it_is_described_as_its_metadata_declares_it(described: Path) -> None:
    said = yaml.safe_load(described.read_text(encoding="utf-8"))
    assert said == {
        "entity": "loyaltyMembers",
        "api": API,
        "key": "systemId",
        "modified": "systemModifiedAt",
        "writes": ["create", "update", "delete"],
        "notices": True,
        "properties": {
            "systemId": "guid read",
            "number": "text(20)",
            "fullName": "text(100)",
            "eMail": "text(80)",
            "level": "enum",
            "closed": "bool",
            "points": "decimal",
            "systemCreatedAt": "datetime read",
            "systemModifiedAt": "datetime read",
        },
    }
    assert "level: enum # Bronze, Silver, Gold Plus\n" in described.read_text(encoding="utf-8")


def test_it_is_kept_in_step_both_ways(world: World, page: Page) -> None:
    ids = {f"C{n}": world.shop.post("customers", customer(f"C{n}"))["id"] for n in range(3)}
    run = world.step()
    assert not run.failed()
    made = page.rows()
    assert {number: row["fullName"] for number, row in made.items()} == {one: f"Company {one}" for one in ids}
    assert {row["level"] for row in made.values()} == {"Gold_x0020_Plus"}
    assert world.step(full=True).writes() == 0

    world.let_time_pass()
    world.shop.patch("customers", ids["C0"], {"company_name": "Renamed"})
    page.edit("C1", eMail="elsewhere@company.example", closed=True, points=5)
    assert world.step().writes() == 2
    assert page.rows()["C0"]["fullName"] == "Renamed"
    edited = world.shop.get("customers", ids["C1"])
    assert (edited["email"], edited["active"]) == ("elsewhere@company.example", False)
    assert page.rows()["C1"]["points"] == 5
    assert world.step(full=True).writes() == 0


def test_a_record_that_is_gone_there_is_told(world: World, page: Page) -> None:
    key = world.shop.post("customers", customer())["id"]
    world.step()
    page.delete("C1")
    run = world.step(full=True)
    assert run.writes() == 0
    assert page.rows() == {}
    assert world.state("member", key) == ("broken", "the Business Central record is vanished")


def test_an_edit_against_an_outdated_version_is_planned_again(world: World, page: Page) -> None:
    """What the page says of versions counts as for any other set."""
    key = world.shop.post("customers", customer())["id"]
    world.step()
    world.shop.patch("customers", key, {"email": "new@company.example"})
    world.bc.faults(
        {"match": {"method": "PATCH", "path": "*loyaltyMembers*"}, "fault": {"status": 409}, "times": 1}
    )
    world.step()
    world.bc.no_faults()
    assert page.rows()["C1"]["eMail"] == "new@company.example"


def test_check_config_says_what_may_be_done(world: World, page: Page) -> None:
    world.shop.post("customers", customer())
    world.step()
    done = run("check-config")
    assert done.returncode == 0, done.stdout + done.stderr
    told = "loyaltyMembers: may be read, created, changed, deleted; Business Central tells of changes"
    assert told in done.stdout
    assert "loyaltyMembers: 1 record read, with all that the flow reads" in done.stdout


@pytest.mark.parametrize(
    ("was", "instead", "status", "says"),
    [
        ("level: Gold Plus", "level: Gold", 2, "FAIL loyaltyMembers: flow member: level is never 'Gold'"),
        (
            "entity: loyaltyMembers",
            "entity: loyaltyMembers, scope: {level: Bronze | Tin}",
            0,
            "is never 'Tin'",
        ),
        (
            "->,  bc: level,",
            "->,  bc: level, values: {Gold Plus: Gold}, ",
            2,
            "note loyaltyMembers: flow member",
        ),
    ],
)
def test_a_word_that_is_none_of_a_choice_is_told(
    page: Page, tmp_path: Path, was: str, instead: str, status: int, says: str
) -> None:
    """Before a record is sent with it, which would be refused; what the page knows is listed."""
    assert was in FLOW
    (tmp_path / "flows" / "member.yaml").write_text(FLOW.replace(was, instead), encoding="utf-8")
    done = run("check-config")
    assert done.returncode == status, done.stdout + done.stderr
    assert says in done.stdout
    assert "says $metadata: it is one of Bronze, Silver, Gold Plus" in done.stdout


def test_the_audit_reads_it_by_itself(world: World, page: Page) -> None:
    world.shop.post("customers", customer())
    world.step()
    done = run("audit")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("customer",), "v2.0 of Business Central has no entity set 'customer'; called alike: customers"),
        (("loyaltyMember", "--api", API), "has no entity set 'loyaltyMember'; called alike: loyaltyMembers"),
        (("loyaltyMembers", "--api", "sample/loyal/v1.0"), "has no API sample/loyal/v1.0"),
        (("../customers",), "is no name of an entity set"),
        (("loyaltyMembers", "--api", "sample/loyalty"), "write publisher/group/version"),
    ],
)
def test_what_is_not_there_is_told_with_what_is(world: World, arguments: tuple[str, ...], says: str) -> None:
    done = run("new-entity", *arguments)
    assert done.returncode == 2
    assert says in done.stderr
    assert not Path("entities").exists()
