"""Carrier and tracking number of a shipment, which a page of an extension shows, are told in the shop."""

import shutil
from pathlib import Path

import pytest

from talk_pipeline.systems.businesscentral.entities import PACKAGED
from talk_pipeline_tests.cli.command_line import run
from talk_pipeline_tests.pipeline.documents import Sold, with_optional
from talk_pipeline_tests.pipeline.optional.test_terms import planted
from talk_pipeline_tests.pipeline.second_opinion import unexplained
from talk_pipeline_tests.world import World


class Tracked(Sold):
    """A sold order whose shipments get carrier and number from people in the office."""

    def enter(self, shipment: str, carrier: str, number: str) -> None:
        """What is entered at a posted shipment."""
        values = {"shippingAgentCode": carrier, "packageTrackingNumber": number}
        self.world.bc.back_office("PATCH", f"postedSalesShipments/{shipment}", values)

    def posted(self) -> list[str]:
        """The ids of Business Central's shipments, by number."""
        rows = sorted(self.world.bc.all("salesShipments").values(), key=lambda row: str(row["number"]))
        return [row["id"] for row in rows]

    def told(self) -> list[tuple[str | None, str | None]]:
        """Carrier and number of each shipment in the shop."""
        return [(one["carrier"], one["tracking_number"]) for one in self.documents("shipments")]

    def settled(self) -> None:
        """Nothing is left to do, and the audit finds nothing that it cannot explain."""
        self.quiet()
        assert not unexplained()


def described(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page: str = "salesShipments") -> None:
    """The page of the extension is described as a user says it: here it takes the place of API v2.0's shipments."""
    folder = tmp_path / "entities"
    folder.mkdir()
    shutil.copy(PACKAGED / "pages" / f"{page}.yaml", folder)
    monkeypatch.setenv("BUSINESSCENTRAL_ENTITIES_DIR", str(folder))


@pytest.fixture
def tracked(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tracked:
    with_optional(world, tmp_path, monkeypatch, "shipment", "shipment_tracking")
    described(tmp_path, monkeypatch)
    return Tracked(world)


def test_they_are_told_with_the_shipment_and_when_they_come_later_or_change(tracked: Tracked) -> None:
    done = run("check-config")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "$metadata" not in done.stdout

    tracked.office("ship", 2, 1.5)
    (first,) = tracked.posted()
    tracked.enter(first, "dhl", "JJD 0001")
    tracked.sync()
    assert tracked.told() == [("DHL", "JJD 0001")]
    assert tracked.lines("shipped_quantity") == ["2", "1.5"]
    tracked.settled()

    tracked.office("ship")
    tracked.sync()
    assert tracked.told() == [("DHL", "JJD 0001"), (None, None)]
    tracked.settled()
    _, second = tracked.posted()
    tracked.enter(second, "GLS", "5000 1")
    assert tracked.world.step("shipment").writes() == 1
    assert tracked.told() == [("DHL", "JJD 0001"), ("GLS", "5000 1")]

    tracked.enter(first, "GLS", "5000 2")
    assert tracked.world.step("shipment").writes() == 1
    assert tracked.told() == [("GLS", "5000 2"), ("GLS", "5000 1")]
    assert tracked.lines("shipped_quantity") == ["2", "5.0"]
    tracked.settled()

    key = tracked.documents("shipments")[0]["id"]
    planted(tracked.world, f"shipments/{key}", {"tracking_number": "NOBODY'S"}, "tracking_number")


@pytest.mark.slow
def test_they_are_told_of_an_order_that_is_posted_and_gone(tracked: Tracked) -> None:
    tracked.office("ship")
    tracked.office("invoice")
    tracked.sync()
    state, _ = tracked.world.state("order", tracked.id) or ("", "")
    assert state == "closed"
    (only,) = tracked.posted()
    tracked.enter(only, "GLS", "5000 3")
    assert tracked.world.step("shipment").writes() == 1
    assert tracked.told() == [("GLS", "5000 3")]
    tracked.settled()


def test_shipments_told_before_the_page_was_there_stay_linked(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_optional(world, tmp_path, monkeypatch, "shipment")
    tracked = Tracked(world)
    tracked.office("ship", 2, 1.5)
    (first,) = tracked.posted()
    tracked.enter(first, "GLS", "5000 4")
    tracked.sync()
    assert tracked.told() == [(None, None)]

    with_optional(world, tmp_path, monkeypatch, "shipment", "shipment_tracking")
    assert "packageTrackingNumber" in run("check-config").stderr, "v2.0 tells no such thing"
    described(tmp_path, monkeypatch)
    assert world.step("shipment", full=True).writes() == 1
    assert tracked.told() == [("GLS", "5000 4")]
    tracked.settled()


def test_a_page_that_shows_only_these_is_joined_to_the_shipments_of_v2(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shipments come by v2.0; what the page says is found by the number, a run after the shipment came."""
    with_optional(world, tmp_path, monkeypatch, "shipment", "tracking")
    described(tmp_path, monkeypatch, "shipmentTracking")
    done = run("check-config")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "$metadata" not in done.stdout
    tracked = Tracked(world)
    tracked.office("ship", 2, 1.5)
    (first,) = tracked.posted()
    tracked.enter(first, "DHL", "JJD 0001")
    tracked.sync()
    tracked.sync()
    assert tracked.told() == [("DHL", "JJD 0001")]
    tracked.settled()

    tracked.office("ship")
    tracked.sync()
    _, second = tracked.posted()
    tracked.enter(second, "GLS", "5000 1")
    tracked.enter(first, "GLS", "5000 2")
    tracked.sync()
    assert tracked.told() == [("GLS", "5000 2"), ("GLS", "5000 1")]
    assert tracked.lines("shipped_quantity") == ["2", "5.0"]
    assert not world.step(full=True).writes()
    planted(
        world,
        f"shipments/{tracked.documents('shipments')[0]['id']}",
        {"tracking_number": "NOBODY'S"},
        "tracking_number",
    )
