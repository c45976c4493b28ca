"""Pages whose key has a choice, a yes-or-no and a day in it, drafted and synchronized."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import pytest

from talk_pipeline.cli.configuration import check_configuration
from talk_pipeline_tests.systems.businesscentral.own_page import OwnPage
from talk_pipeline_tests.systems.businesscentral.test_own_pages import Own, own
from talk_pipeline_tests.systems.customwebshop.shops.door import unexplained

__all__ = ["own"]  # a fixture is known where it is named

FIELD = "contoso/field/v1.0"
PAGES: Mapping[str, Mapping[str, OwnPage]] = {
    FIELD: {
        "visitRates": OwnPage(
            "visitRate",
            ("kind", "express", "validFrom"),
            {
                "kind": "visitKind",
                "express": "Boolean",
                "validFrom": "Date",
                "rate": "Decimal read",
                "remark": "String(50)",
            },
            enums={"visitKind": ("On_x0020_Site", "Remote")},
            modified="changed",  # which it does not show
            forbids=("Insertable", "Deletable"),
        )
    },
}
OPEN = {FIELD: {"visitRates": replace(PAGES[FIELD]["visitRates"], forbids=())}}
RATED = """  rates:
    path: /rates
    fields: {number: {join: [kind, express, from], separator: ",", write: false}}
"""
RATE_FLOW = """flow: rate
title: Rates
customwebshop: {asset: rate, entity: rates}
businesscentral: {asset: visit_rates, entity: visitRates}
match: [number]
create_key: number
properties:
  - {shop: number, dir: ->,  bc: id,     type: text(60), only: create}
  - {shop: rate,   dir: <-,  bc: rate,   type: decimal(5)}
  - {shop: remark, dir: <->, bc: remark, type: text(50)}
settings: {create: never}
"""


@pytest.mark.parametrize("own", [PAGES], indirect=True)
def test_a_page_whose_key_is_a_choice_yes_or_no_and_a_day(
    own: Own, capsys: pytest.CaptureFixture[str]
) -> None:
    drafted = own.connect(FIELD, "visitRates", entity=RATED, flow=RATE_FLOW, rate="decimal read")
    assert "keys: [kind, express, validFrom]" in drafted
    assert "modified: ~" in drafted
    shop, bc = own.shop, own.bc
    for kind, express in (("On_x0020_Site", True), ("On_x0020_Site", False), ("Remote", False)):
        bc.add(
            "visitRates", kind=kind, express=express, validFrom="2026-12-01", rate=Decimal("80.5"), remark=""
        )
        word = "On Site" if kind.startswith("On") else kind
        shop.add("rates", kind=word, express=str(express).lower(), **{"from": "2026-12-01"}, remark="")
    own.run()
    told = shop.tables["rates"].values()
    assert [Decimal(str(row["rate"])) for row in told] == [Decimal("80.5")] * 3
    own.quiet()
    status = check_configuration()
    said = capsys.readouterr().out
    assert status == 0, said
    assert "visitRates: no record shown has a value of what is written: whether they may be" in said

    first, second, third = bc.rows["visitRates"]
    shop.edit("rates", min(shop.tables["rates"]), remark="By the hour")
    bc.change("visitRates", third, remark="By phone", rate=Decimal(40))
    own.run()
    assert (first["remark"], second["remark"]) == ("By the hour", "")
    assert [row["remark"] for row in told] == ["By the hour", "", "By phone"]
    assert [Decimal(str(row["rate"])) for row in told][2] == 40
    assert not [one for one in bc.writes if not one.startswith("PATCH")]
    own.quiet()
    assert not unexplained()


@pytest.mark.parametrize("own", [OPEN], indirect=True)
def test_its_records_are_made_once_and_removed(own: Own) -> None:
    flow = RATE_FLOW.replace("create: never", "disappearance: delete")
    own.connect(FIELD, "visitRates", entity=RATED, flow=flow, rate="decimal read")
    shop, bc = own.shop, own.bc
    for kind, express in (("On Site", "true"), ("Remote", "false")):
        shop.add("rates", kind=kind, express=express, **{"from": "2026-12-01"}, remark=kind)
    bc.lost = 1
    own.run()
    own.run()
    rows = bc.rows["visitRates"]
    assert sorted((row["kind"], row["express"], row["validFrom"], row["remark"]) for row in rows) == [
        ("On_x0020_Site", True, "2026-12-01", "On Site"),
        ("Remote", False, "2026-12-01", "Remote"),
    ]
    own.quiet()
    del shop.tables["rates"][max(shop.tables["rates"])]
    own.run(full=True)
    assert [row["kind"] for row in bc.rows["visitRates"]] == ["On_x0020_Site"]
    own.quiet()
    assert not unexplained()
