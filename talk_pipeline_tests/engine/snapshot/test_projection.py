"""What a value means is looked up once; whatever its meaning depends on is part of the question."""

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from talk_pipeline.engine.model import Contents
from talk_pipeline.engine.snapshot import columns
from talk_pipeline.engine.snapshot.columns import Company
from talk_pipeline.engine.snapshot.projection import Projected, Projector, Told
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.values import Value
from talk_pipeline_tests.flow_files import flows_in

DANISH = Company("DKK", ZoneInfo("Europe/Copenhagen"))
FLOWS = flows_in()


def told(projector: Projector, key: str, /, **values: Value) -> Told:
    """A shop record of these values, by property."""
    root = projector.flow.root
    wire = {path: values.get(prop.name) for prop in root.properties for path in prop.paths(Side.SHOP)}
    wire |= {path: values[path] for path in ("currency",) if path in values}
    return Told(key, None, Contents(wire), None)


def read(projector: Projector, **values: Value) -> Projected:
    """The row of a shop record of these values, by property."""
    return projector.project_all([told(projector, "1", **values)])[0][0]


def test_a_phone_number_is_read_in_the_country_of_its_own_record() -> None:
    projector = Projector(FLOWS["customer"], Side.SHOP, DANISH)
    phones = [
        read(projector, **{"phone": "20 12 34 56", "address.country": country}).canon["phone"]
        for country in ("DK", "NO", "DK")
    ]
    assert phones == ["+4520123456", "+4720123456", "+4520123456"]


def test_a_blank_currency_is_that_of_the_company() -> None:
    for currency in ("DKK", "EUR"):
        projector = Projector(FLOWS["customer"], Side.SHOP, replace(DANISH, currency=currency))
        assert read(projector).canon["currency"] == currency


def test_an_amount_is_judged_by_the_currency_of_its_own_record() -> None:
    projector = Projector(FLOWS["product"], Side.SHOP, DANISH)
    problems = [
        read(projector, price="10.00", currency=currency).problems.get("price")
        for currency in ("DKK", "EUR", "DKK")
    ]
    assert problems[0] is None
    assert "is in EUR" in (problems[1] or "")
    assert problems[2] is None


def test_a_value_that_fits_nowhere_is_a_problem_every_time() -> None:
    projector = Projector(FLOWS["customer"], Side.SHOP, DANISH)
    rows = [read(projector, **{"address.country": "Atlantis"}) for _ in range(2)]
    assert ["address.country" in row.problems for row in rows] == [True, True]
    assert [row.canon["address.country"] for row in rows] == [None, None]


@pytest.mark.parametrize("flow", ["customer", "product"])
def test_records_read_together_are_read_as_each_by_itself(flow: str) -> None:
    """Whatever the others say, and whatever is wrong with them."""
    said: list[dict[str, Value]] = [
        {"phone": "20 12 34 56", "address.country": "DK", "price": "10.00", "currency": "DKK"},
        {"phone": "20 12 34 56", "address.country": "Atlantis", "price": "10.00", "currency": "EUR"},
        {"phone": "letters", "address.country": "NO", "price": "ten", "currency": None},
        {"phone": "20 12 34 56", "address.country": "NO", "price": "10.0", "currency": "DKK"},
    ]
    projector = Projector(FLOWS[flow], Side.SHOP, DANISH)
    together = projector.project_all([told(projector, str(at), **one) for at, one in enumerate(said)])
    apart = [
        Projector(FLOWS[flow], Side.SHOP, DANISH).project_all([told(projector, str(at), **one)])[0]
        for at, one in enumerate(said)
    ]
    assert together == apart


def test_no_more_values_are_remembered_than_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columns, "MOST_REMEMBERED", 3)
    projector = Projector(FLOWS["customer"], Side.SHOP, DANISH)
    assert [read(projector, number=str(at)).canon["number"] for at in range(10)] == [
        str(at) for at in range(10)
    ]
    assert all(len(column.meanings) <= 3 for column in projector.columns["customer"])
