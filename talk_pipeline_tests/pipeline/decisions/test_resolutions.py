"""What a person decides: which side wins an open conflict, and that what was given up on is tried again."""

import json

import dagster as dg
import pytest

from talk_pipeline.dagster.build import build_defs
from talk_pipeline.engine.manual import resolutions
from talk_pipeline.engine.manual.decisions import Decision
from talk_pipeline.engine.manual.lookup import find
from talk_pipeline.engine.model import ByHandError
from talk_pipeline.engine.report.explain import explanation
from talk_pipeline.flows.sides import Side
from talk_pipeline.installation import carry_out
from talk_pipeline.settings import Settings
from talk_pipeline.states import known_state
from talk_pipeline_tests.flow_files import edited_flows, flows_in
from talk_pipeline_tests.pipeline.by_hand import WHO, bc_customer
from talk_pipeline_tests.pipeline.records import customer, line, order, product
from talk_pipeline_tests.users import Row
from talk_pipeline_tests.world import World


def resolve(shop_id: str, take: Side, prop: str | None = None, *, flow: str = "customer") -> Decision:
    return carry_out(
        Settings.load(), flow, lambda hand: resolutions.resolve(hand, shop_id, take=take, prop=prop), by=WHO
    )


def retry(shop_id: str | None = None) -> Decision:
    return carry_out(Settings.load(), "customer", lambda hand: resolutions.retry(hand, shop_id), by=WHO)


@pytest.fixture
def disputed(world: World, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """A pair with two open conflicts."""
    edited_flows(world.data.parent, monkeypatch, customer=("conflict: last_writer #", "conflict: manual #"))
    shop_id = world.shop.post("customers", customer())["id"]
    world.step("customer")
    bc_id = world.counterpart("customer", shop_id)
    world.shop.patch("customers", shop_id, {"website": "www.shop.example", "email": "shop@company.example"})
    world.bc.patch("customers", bc_id, {"website": "www.bc.example", "email": "bc@company.example"})
    world.step("customer")
    return shop_id, bc_id


def values(world: World, pair: tuple[str, str]) -> dict[str, tuple[str, str]]:
    shop, bc = world.shop.get("customers", pair[0]), world.bc.get("customers", pair[1])
    return {name: (shop[name], bc[name]) for name in ("website", "email")}


@pytest.mark.parametrize("take", list(Side))
def test_a_resolution_is_carried_out_and_recorded(
    world: World, disputed: tuple[str, str], take: Side
) -> None:
    resolve(disputed[0], take, "website")
    run = world.step("customer")
    assert not run.failed()
    kept = "www.shop.example" if take is Side.SHOP else "www.bc.example"
    assert values(world, disputed) == {
        "website": (kept, kept),
        "email": ("shop@company.example", "bc@company.example"),
    }
    assert world.sql(
        "select property, rule, winner, shop_value, bc_value, decided_by, decided_at is not null,"
        " shop_edited_at is not null from conflict"
    ) == [
        ("website", "manual", str(take), "www.shop.example", "www.bc.example", WHO, True, world.tells_times())
    ]
    with pytest.raises(ByHandError, match="no open conflict in 'website'; there are: email"):
        resolve(disputed[0], take, "website")
    resolve(disputed[1], take)
    assert not world.step("customer").failed()
    with pytest.raises(ByHandError, match="has no open conflict"):
        resolve(disputed[0], take)
    assert world.step("customer").writes() == 0
    assert world.sql("select count(*) from resolution") == [(0,)]


def test_a_resolution_is_on_the_values_it_was_given_on(world: World, disputed: tuple[str, str]) -> None:
    resolve(disputed[0], Side.SHOP, "website")
    world.bc.patch("customers", disputed[1], {"website": "www.newer.example"})
    world.step("customer")
    assert values(world, disputed)["website"] == ("www.shop.example", "www.newer.example")
    resolve(disputed[0], Side.BC, "website")
    world.step("customer")
    assert values(world, disputed)["website"] == ("www.newer.example", "www.newer.example")


def test_a_resolution_is_spent_when_both_came_to_agree(world: World, disputed: tuple[str, str]) -> None:
    resolve(disputed[0], Side.SHOP, "website")
    for shop, bc in (("www.same.example", "www.same.example"), ("www.shop.example", "www.bc.example")):
        world.shop.patch("customers", disputed[0], {"website": shop})
        world.bc.patch("customers", disputed[1], {"website": bc})
        world.step("customer")
    assert values(world, disputed)["website"] == ("www.shop.example", "www.bc.example"), "open again"


def test_a_first_meeting_by_hand(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    edited_flows(world.data.parent, monkeypatch, customer=("initial: fill #", "initial: manual #"))
    bc_id = bc_customer(world, "C1", website="www.bc.example")
    shop_id = world.shop.post("customers", customer())["id"]
    world.step("customer")
    resolve(shop_id, Side.BC, "website")
    resolve(shop_id, Side.SHOP, "company_name")
    assert not world.step("customer").failed()
    assert world.shop.get("customers", shop_id)["website"] == "www.bc.example"
    assert world.bc.get("customers", bc_id)["displayName"] == "Company C1"


def test_one_line_of_many(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    edited_flows(world.data.parent, monkeypatch, order=("conflict: last_writer", "conflict: manual"))
    buyer = world.shop.post("customers", customer())["id"]
    item = world.shop.post("products", product())["id"]
    placed = world.shop.post("orders", order("O1", buyer, [line(item, "2"), line(item, "5")]))
    world.step()
    bc_id = world.counterpart("order", placed["id"])
    world.shop.patch(
        "orders", placed["id"], {"lines": [{"id": row["id"], "quantity": "3"} for row in placed["lines"]]}
    )
    for row in world.bc.get("salesOrders", bc_id)["salesOrderLines"]:
        world.bc.patch("salesOrderLines", row["id"], {"quantity": 4})
    world.step("order")
    first, second = (row["id"] for row in placed["lines"])
    resolve("O1", Side.BC, f"lines[{first}].quantity", flow="order")
    resolve("O1", Side.SHOP, f"lines[{second}].quantity", flow="order")
    assert not world.step("order").failed()
    assert [row["quantity"] for row in world.shop.get("orders", placed["id"])["lines"]] == ["4", "3"]
    lines = sorted(world.bc.get("salesOrders", bc_id)["salesOrderLines"], key=lambda row: row["sequence"])
    assert [row["quantity"] for row in lines] == [4, 3]


def test_a_refusal_is_tried_again_when_a_person_says_so(world: World, pair: tuple[str, str]) -> None:
    shop_id, bc_id = pair
    refused: Row = {"company_name": "x", "email": "a@company.example"}
    world.shop.patch("customers", shop_id, refused)
    world.bc.faults({"match": {"method": "PATCH", "path": "customers"}, "fault": {"status": 400}, "times": 1})
    assert world.step("customer")["customer"]["quarantined"] == 1
    assert world.step("customer").writes() == 0, "the same data is not refused twice"
    with pytest.raises(ByHandError, match="no customer of"):
        retry("nobody")
    assert shop_id in retry("C1").message
    run = world.step("customer")
    assert not run.failed()
    assert (run.writes(), run["customer"]["quarantined"]) == (1, 0)
    assert world.bc.get("customers", bc_id)["email"] == "a@company.example"
    with pytest.raises(ByHandError, match="is not quarantined"):
        retry(shop_id)
    assert retry().message == "customer: nothing is given up on"


def test_a_whole_flow_is_tried_again(world: World) -> None:
    ids = {world.shop.post("customers", customer(f"C{n}"))["id"] for n in range(3)}
    world.bc.faults({"match": {"method": "POST", "path": "customers"}, "fault": {"status": 400}, "times": 3})
    assert world.step("customer")["customer"]["quarantined"] == 3
    assert world.step("customer").writes() == 0
    assert set(retry().details["records"]) == ids
    assert world.step("customer")["customer"]["linked"] == 3


@pytest.mark.parametrize("named", [True, False])
def test_what_the_shop_refused_to_take_over_is_told_and_tried_again(
    world: World, monkeypatch: pytest.MonkeyPatch, *, named: bool
) -> None:
    edited_flows(world.data.parent, monkeypatch, customer=("create: always #", "create: both #"))
    bc_id = bc_customer(world, "B1")
    world.shop.faults(
        {
            "match": {"method": "POST", "path": world.shop_path("customer")},
            "fault": {"status": 422},
            "times": 1,
        }
    )
    world.step("customer")
    assert world.step("customer").writes() == 0
    flows = flows_in(Settings.load().talk_flows_dir)
    with known_state(Settings.load()).once() as db:
        told = explanation(db, flows, flows["customer"], find(db, flows["customer"], "B1"))
    ((reason,),) = world.sql("select reason from refusal")
    assert reason in json.dumps(told)
    assert retry("B1" if named else None).details["records"] == {bc_id: [reason]}
    assert world.sql("select shop_id, bc_id from decision") == [(None, bc_id)]
    assert world.step("customer").writes() > 0
    (made,) = world.shop.all("customers").values()
    assert made["number"] == "B1"


def test_a_value_that_does_not_fit_is_not_retried(world: World) -> None:
    shop_id = world.shop.post("customers", customer(phone="x" * 40))["id"]
    world.step("customer")
    with pytest.raises(ByHandError, match="tried again by itself once the value is mended: phone"):
        retry(shop_id)


@pytest.mark.reaches
def test_two_systems_that_never_agree_get_another_chance(world: World, pair: tuple[str, str]) -> None:
    shop_id, _ = pair
    world.shop.patch("customers", shop_id, {"website": "www.new.example"})
    world.step("customer")
    world.sql("update base set mismatches = 3 where property = 'website'")
    world.shop.patch("customers", shop_id, {"website": "www.newer.example"})
    assert world.step("customer")["customer"]["quarantined"] == 1
    retry(shop_id)
    assert world.step("customer")["customer"]["quarantined"] == 0


def test_in_the_launchpad(
    world: World, disputed: tuple[str, str], instance: dg.DagsterInstance, capsys: pytest.CaptureFixture[str]
) -> None:
    job = build_defs(flows_in()).resolve_job_def("by_hand")

    def decide(**config: str) -> dg.ExecuteInProcessResult:
        ops = {"decide": {"config": {"flow": "customer"} | config}}
        return job.execute_in_process(
            run_config={"ops": ops, "loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            instance=instance,
            raise_on_error=False,
        )

    shop_id, bc_id = disputed
    assert decide(action="RESOLVE", shop_id=shop_id, property="website", take="CUSTOMWEBSHOP").success
    world.step("customer")
    assert values(world, disputed)["website"] == ("www.shop.example", "www.shop.example")
    (who,) = world.sql("select decided_by from conflict")[0]
    assert who.startswith("Dagster run ")
    assert decide(action="UNLINK", shop_id=shop_id, by="Ann").success
    assert world.state("customer", shop_id) == ("held", "unlinked by hand")
    assert decide(action="LINK", shop_id=shop_id, bc_id=bc_id, by="Ann").success
    assert world.sql("select action, done_by from decision order by done_at")[1:] == [
        ("unlinked", "Ann"),
        ("linked", "Ann"),
    ]
    missing = decide(action="LINK", shop_id=shop_id)
    assert not missing.success
    assert "link needs bc_id" in str(missing.failure_data_for_node("decide"))
    assert decide(action="RETRY").success
    with world.database() as db:  # one that a policy decided, and that nobody has seen
        db.execute("update conflict set acknowledged_at = null, acknowledged_by = null")
    assert decide(action="ACKNOWLEDGE", by="Ann").success
    assert world.sql("select distinct acknowledged_by from conflict") == [("Ann",)]
    before = world.sql("select count(*) from decision")
    opened = job.execute_in_process(instance=instance, raise_on_error=False)
    assert "resolve needs shop_id" in str(opened.failure_data_for_node("decide"))
    assert world.sql("select count(*) from decision") == before, "as it opens it decides nothing"
    assert "Traceback" not in capsys.readouterr().out
