"""One synchronized world: in step as the command tells it, and with a thousand corruptions, each of them named."""

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from talk_pipeline.cli.main import app
from talk_pipeline.systems.customwebshop.spec.description import REFERENCE
from talk_pipeline_tests.audit.planting import (
    LONG_AGO,
    VALUES,
    Named,
    in_step,
    merged,
    named,
    nested,
    undone,
)
from talk_pipeline_tests.world import World

pytestmark = pytest.mark.xdist_group("together")

WANTED = {
    "values in the shop": 240,
    "values in Business Central": 240,
    "bases": 320,
    "links": 100,
    "lines": 60,
    "twins": 40,
}
ONE_WAY = {"woocommerce": ("category", "prices_include_tax")}
"""What a shop shows and does not take."""


def test_there_are_a_thousand() -> None:
    assert sum(WANTED.values()) == 1_000


@pytest.mark.parametrize("side", ["shop", "Business Central"])
def test_a_value_changed_behind_both_is_named(synced: World, side: str) -> None:
    planted: set[Named] = set()
    with undone(synced) as chance:
        for flow, (shop_set, bc_set, properties) in VALUES.items():
            for n, (shop_id, bc_id) in enumerate(in_step(synced, flow)):
                one = chance.sample(sorted(properties), min(3, len(properties)))
                if side == "shop":
                    values = merged([nested(name, properties[name][1](n)) for name in one])
                    synced.shop.back_office("PATCH", f"{shop_set}/{shop_id}", values, ago=LONG_AGO)
                else:
                    values = {properties[name][0]: properties[name][1](n) for name in one}
                    synced.bc.back_office("PATCH", f"{bc_set}/{bc_id}", values, ago=LONG_AGO)
                planted |= {(flow, name, shop_id) for name in one}
        assert len(planted) >= WANTED[f"values in {side}" if side != "shop" else "values in the shop"]
        assert not planted - named()


def test_a_base_that_lies_is_named(synced: World) -> None:
    parts = ("customer", "product", "order", "order.lines")
    ids = {part: [shop_id for shop_id, _ in in_step(synced, part)] for part in parts}
    with undone(synced) as chance, synced.database() as db:
        two_way = (
            "select part, property, shop_id from base where part = ? and shop_id in (select unnest(?::varchar[]))"
            " and property not in ('number', 'sku', 'type', 'erp_number', 'status', 'stock') order by all"
        )
        rows: list[Named] = []
        for part in parts:
            based = db.execute(two_way, [part, ids[part]]).fetchall()
            rows += [one for one in based if one[1] not in ONE_WAY.get(synced.profile, ())]
        planted = set(chance.sample(rows, WANTED["bases"]))
        for n, (part, name, shop_id) in enumerate(sorted(planted)):
            sides = (["shop_value"], ["bc_value"], ["shop_value", "bc_value"])[n % 3]
            told = ", ".join(f"{side} = 'a lie'" for side in sides)
            where = "part = ? and property = ? and shop_id = ?"
            db.execute(f"update base set {told} where {where}", [part, name, shop_id])
        db.close()
        assert not planted - named()


@pytest.mark.parametrize("along", ["alone", "with what was read"])
def test_a_base_that_was_planted_with_its_values_is_named(synced: World, along: str) -> None:
    """It says what both sides say; and what is known as read may lie with it, but where forms move."""
    if synced.profile != "reference":
        pytest.skip("it looks for times where the reference shop has them")
    planted: set[Named] = set()
    with undone(synced) as chance:
        lies: list[tuple[str | None, ...]] = []
        shown: list[tuple[str, str, str]] = []
        for flow, (shop_set, bc_set, properties) in VALUES.items():
            for n, (shop_id, bc_id) in enumerate(in_step(synced, flow)):
                name = chance.choice(sorted(properties))
                there, made = properties[name]
                side = ("shop", "Business Central", "both")[n % 3]
                if side != "Business Central":
                    values = nested(name, made(2 * n))
                    row = synced.shop.back_office("PATCH", f"{shop_set}/{shop_id}", values, ago=LONG_AGO)
                    shown.append(("customwebshop", shop_id, row["updated_at"]))
                if side != "shop":
                    values = {there: made(2 * n + 1)}
                    row = synced.bc.back_office("PATCH", f"{bc_set}/{bc_id}", values, ago=LONG_AGO)
                    shown.append(("businesscentral", bc_id, row["lastModifiedDateTime"]))
                lies.append(
                    (
                        None if side == "Business Central" else str(made(2 * n)),
                        None if side == "shop" else str(made(2 * n + 1)),
                        flow,
                        name,
                        shop_id,
                    )
                )
                planted.add((flow, name, shop_id))
        with synced.database() as db:
            db.executemany(
                "update base set shop_value = coalesce(?, shop_value), bc_value = coalesce(?, bc_value)"
                " where part = ? and property = ? and shop_id = ?",
                lies,
            )
            if along != "alone":
                for n, column in enumerate(("shop_id", "bc_id")):
                    db.executemany(
                        "update record set raw = map_concat(raw, map {$name: coalesce($said, raw[$name])})"
                        f" where part = $part and id in (select {column} from link where shop_id = $id)",
                        [{"said": lie[n], "part": lie[2], "name": lie[3], "id": lie[4]} for lie in lies],
                    )
                db.executemany(
                    "update snapshot set modified_at = $3::timestamptz at time zone 'UTC'"
                    " where side = $1 and id = $2",
                    shown,
                )
                planted = {one for one in planted if one[1] not in ("phone", "price")}
        assert len(planted) > 100
        assert not planted - named()


def test_a_link_to_the_wrong_record_is_named(synced: World) -> None:
    planted: set[tuple[str, str]] = set()
    with undone(synced) as chance:
        for part, most in (("customer", 30), ("product", 30), ("order", 40)):
            pairs = in_step(synced, part)
            pairs = chance.sample(pairs, min(most, len(pairs)))
            wrong = [*pairs[1:], pairs[0]]
            with synced.database() as db:
                for shop_id, _ in pairs:
                    db.execute(
                        "update link set bc_id = 'x' || shop_id where part = ? and shop_id = ?",
                        [part, shop_id],
                    )
                for (shop_id, _), (_, bc_id) in zip(pairs, wrong, strict=True):
                    db.execute(
                        "update link set bc_id = ? where part = ? and shop_id = ?", [bc_id, part, shop_id]
                    )
            planted |= {(part, shop_id) for shop_id, _ in pairs}
        assert len(planted) == WANTED["links"]
        assert not planted - {(part, key) for part, name, key in named() if name == ""}


def test_a_lost_line_is_named(synced: World) -> None:
    planted: set[Named] = set()
    with undone(synced):
        lines = dict(in_step(synced, "order.lines"))
        shop, central = synced.shop.all("orders"), synced.bc.orders()
        for n, (shop_id, bc_id) in enumerate(in_step(synced, "order")):
            first, *rest = shop[shop_id]["lines"]
            if (
                not rest or shop[shop_id]["discount_amount"] != "0.00"
            ):  # which is no more than the lines come to
                continue
            if n % 2 or central[bc_id]["status"] != "Draft":
                synced.shop.back_office("PATCH", f"orders/{shop_id}", {"lines": [first]}, ago=LONG_AGO)
            else:
                for line in rest:
                    own = lines[f"{shop_id}/{line['id']}"].partition("/")[2]
                    synced.bc.back_office("DELETE", f"salesOrderLines/{own}", {}, ago=LONG_AGO)
            planted |= {("order.lines", "", f"{shop_id}/{line['id']}") for line in rest}
        assert len(planted) >= WANTED["lines"]
        assert not planted - named("order")


def test_a_twin_is_named(synced: World) -> None:
    planted: set[Named] = set()
    with undone(synced):
        central = synced.bc.orders()
        for _, bc_id in in_step(synced, "order")[: WANTED["twins"]]:
            twin = {name: central[bc_id][name] for name in ("customerId", "externalDocumentNumber")}
            made = synced.bc.back_office("POST", "salesOrders", twin, ago=LONG_AGO)
            planted |= {("order", "", made["id"]), ("order", "", bc_id)}
        assert len(planted) == 2 * WANTED["twins"]
        assert not planted - named("order")


def test_a_record_that_no_run_has_noticed_is_named(synced: World) -> None:
    """Also where creates of others are held: their reasons are not its own."""
    assert synced.sql("select 1 from change where part = 'product' and bc_id is null")
    with undone(synced):
        values = {"sku": "UNNOTICED", "name": "Planted", "unit": "pcs", "price": "1.00", "currency": "DKK"}
        made = synced.shop.back_office("POST", "products", values, ago=LONG_AGO)
        assert ("product", "", made["id"]) in named("product")


def asked(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["audit", *arguments])


def test_in_step_it_ends_with_0(synced: World) -> None:
    done = asked()
    assert done.exit_code == 0, done.output
    assert "unexplained:" not in done.output
    told = json.loads(asked("--json").output)["flows"]
    for flow, counts in told.items():
        assert counts["properties"] > counts["agree"] > 0, flow
        assert counts["differ_with_reason"] == len(counts["findings"])
        assert all(finding["reason"] for finding in counts["findings"])
    assert {f.partition(":")[0] for one in told.values() for f in (g["reason"] for g in one["findings"])} >= {
        "ambiguous",
        "quarantined",
        "excluded",
        "waiting",
    }


def test_what_nobody_explains_ends_with_1_and_is_named(synced: World, tmp_path: Path) -> None:
    with undone(synced):
        shop_id, bc_id = in_step(synced, "customer")[0]
        synced.shop.back_office("PATCH", f"customers/{shop_id}", {"website": "=planted"}, ago=LONG_AGO)
        done = asked("customer", "--csv", str(tmp_path / "found.csv"))
        assert done.exit_code == 1
        (line,) = [line for line in done.output.splitlines() if line.startswith("unexplained:")]
        assert all(word in line for word in (shop_id, bc_id, "website", "'=planted'"))
        with (tmp_path / "found.csv").open(newline="") as opened:
            rows = [row for row in csv.DictReader(opened) if not row["reason"]]
        assert [(row["property"], row["shop"]) for row in rows] == [("website", "'=planted")]


def test_an_edit_that_no_run_has_seen_is_a_reason(synced: World) -> None:
    if not synced.tells_times():
        pytest.skip("this shop tells no modified times")
    with undone(synced):
        shop_id, _ = in_step(synced, "customer")[0]
        synced.shop.back_office("PATCH", f"customers/{shop_id}", {"website": "www.edited.example"})
        assert asked("customer").exit_code == 0


def test_what_keeps_it_from_judging_has_an_exit_status_of_its_own(
    synced: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert asked("nothing").exit_code == 2
    for name in {*synced.environment} - {"CUSTOMWEBSHOP_URL", "CUSTOMWEBSHOP_CONNECTOR"}:
        if name.startswith("CUSTOMWEBSHOP_"):
            monkeypatch.setenv(name, "wrong")
    assert asked("customer").exit_code == 2
    monkeypatch.setenv("CUSTOMWEBSHOP_URL", "http://127.0.0.1:9")
    done = asked("customer")
    assert done.exit_code == 3
    assert "Traceback" not in done.output


def test_a_state_of_before_an_upgrade_is_refused_by_name(
    synced: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with synced.database() as db:
        tables = [name for (name,) in db.execute("select table_name from duckdb_tables()").fetchall()]
        db.execute(f"attach '{tmp_path / 'talk.duckdb'}' as earlier")
        for name in tables:
            columns = "* exclude (called)" if name == "link" else "*"
            db.execute(f"create table earlier.{name} as select {columns} from {name}")
        db.execute("detach earlier")
    monkeypatch.setenv("TALK_DATA_DIR", str(tmp_path))
    done = asked("customer")
    assert done.exit_code == 2
    assert "talk.duckdb is of another release: run talk-pipeline sync first" in " ".join(done.output.split())


def test_what_it_cannot_read_of_a_shop_is_refused_by_name(
    synced: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each refresh token is good for once: what the audit took would be missing to the pipeline."""
    told = REFERENCE.read_text(encoding="utf-8")
    (entering,) = (line for line in told.splitlines() if line.startswith("auth:"))
    entered = "auth: {type: oauth2, token_url: /token, client_id: SHOP_ID, refresh_token: SHOP_REFRESH}"
    (tmp_path / "refreshed.yaml").write_text(told.replace(entering, entered))
    monkeypatch.setenv("CUSTOMWEBSHOP_CONNECTOR", str(tmp_path / "refreshed.yaml"))
    for name in ("SHOP_ID", "SHOP_REFRESH"):
        monkeypatch.setenv(name, "of-that-shop")
    done = asked("order")
    assert done.exit_code == 2
    assert "no auth of type oauth2 with" in done.output
    assert "refresh_token" in done.output
