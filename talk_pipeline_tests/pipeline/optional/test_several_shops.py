"""Two shops and one company of Business Central: each has its own customers and orders, items are of both."""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from talk_pipeline.acting import acting_for
from talk_pipeline.cli.syncing import numbers_of
from talk_pipeline.companies import companies_in
from talk_pipeline.flows.loading import PACKAGED
from talk_pipeline.installation import Connections
from talk_pipeline.run.session import Options
from talk_pipeline.settings import Settings
from talk_pipeline.systems.customwebshop.spec.description import REFERENCE
from talk_pipeline_tests.cli.command_line import run
from talk_pipeline_tests.flow_files import copied_flows
from talk_pipeline_tests.passing import tried
from talk_pipeline_tests.pipeline.records import customer, line, order, product
from talk_pipeline_tests.proof.states import Watch
from talk_pipeline_tests.several import SECRETS, Companies, entry, opened_companies, variable
from talk_pipeline_tests.world import World

CENTRAL = "BUSINESSCENTRAL_"


@pytest.fixture
def shops(
    tmp_path: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Companies]:
    """Both shops have a product P1, a customer, and an order that they call 1001."""
    with opened_companies(tmp_path, "north", "south", instance=instance, patch=monkeypatch) as opened:
        central = {
            name: said for name, said in opened["north"].environment.items() if name.startswith(CENTRAL)
        }
        for name, world in opened.items():
            own = {
                "TALK_FLOWS_DIR": str(_flows(tmp_path / name)),
                "CUSTOMWEBSHOP_CONNECTOR": _shop(tmp_path, name),
            }
            opened.said[name] = entry(name, world.environment | central)
            opened.said[name]["settings"] |= own
            for secret in set(central) & set(SECRETS):
                monkeypatch.setenv(variable(name, secret), central[secret])
            item = world.shop.post("products", product())["id"]
            buyer = world.shop.post("customers", customer(f"{name[0]}-1"))["id"]
            world.shop.post("orders", order("1001", buyer, [line(item)]))
        opened.write()
        yield opened


def _flows(folder: Path) -> Path:
    """The packaged flows, with what is this shop's own and what is of both."""
    start = f"{folder.name[0].upper()}-*"
    return copied_flows(
        folder,
        customer=("scope: {type: Company}", f"scope: {{type: Company, number: {start}}}"),
        product=("{asset: items, entity: items}", "{asset: items, entity: items, several_shops: true}"),
        order=(
            "  entity: salesOrders\n",
            f"  entity: salesOrders\n  scope: {{externalDocumentNumber: {start}}}\n",
        ),
    )


def _shop(folder: Path, name: str) -> str:
    """The reference shop, whose orders are told apart by a letter before their number."""
    text = REFERENCE.read_text(encoding="utf-8")
    told = f"fields: {{number: {{prefix: {name[0].upper()}-}}, prices_include_tax"
    before, orders, after = text.partition("  orders:\n")
    file = folder / f"{name}.yaml"
    file.write_text(before + orders + after.replace("fields: {prices_include_tax", told, 1), encoding="utf-8")
    return str(file)


def synced(shops: Companies, name: str, *flows: str, full: bool = False) -> int:
    """How much a run of one of them wrote, without Dagster."""
    with acting_for(companies_in(shops.file)[name]):
        connections, run_id = Connections(Settings.load()), uuid.uuid4().hex
        asked = flows or tuple(connections.flows)
        assert tried(connections, asked, run_id=run_id, options=Options(full=full), watch=Watch()) == []
        numbers = numbers_of(connections, asked, run_id=run_id)
    return sum(
        count
        for flow in numbers["flows"].values()
        for made in flow["writes"].values()
        for count in made.values()
    )


def numbers(central: World, entity: str, name: str = "number") -> list[str]:
    return sorted(one[name] for one in central.bc.all(entity).values())


@pytest.mark.long
@pytest.mark.slow
def test_each_shop_has_its_own_and_what_is_of_both_follows_either(shops: Companies) -> None:
    north, south = shops["north"], shops["south"]
    written = [synced(shops, name) for name in ("north", "south", "north")]
    assert written[-1] == 0, "what the other shop brought is not this one's"
    assert numbers(north, "customers") == ["N-1", "S-1"]
    assert numbers(north, "items") == ["P1"], "one item for both"
    assert numbers(north, "salesOrders", "externalDocumentNumber") == ["N-1001", "S-1001"]
    for name in shops:
        assert run("audit", "--company", name).returncode == 0
    (item,) = north.shop.all("products").values()
    north.shop.patch("products", item["id"], {"name": "Called otherwise"})
    for name in ("north", "south"):
        synced(shops, name)
    assert [one["name"] for one in south.shop.all("products").values()] == ["Called otherwise"]
    assert [synced(shops, name, full=True) for name in shops] == [0, 0]


@pytest.mark.slow
def test_a_number_of_another_shop_is_never_brought(shops: Companies) -> None:
    """It would be the other shop's record there, and nobody's in this one."""
    synced(shops, "north")
    shops["south"].shop.post("customers", customer("N-1", company_name="Another"))
    done = run("sync", "--company", "south", "--json")
    assert done.returncode == 0, done.stderr
    (central,) = (one for one in shops["north"].bc.all("customers").values() if one["number"] == "N-1")
    assert central["displayName"] == "Company n-1"
    waiting = json.loads(run("attention", "--company", "south", "--json").stdout)
    assert waiting["counts"]["quarantined"] == waiting["total"] == 1
    assert (
        "outside of what the flow is for: S-*"
        in run("explain", "customer", "N-1", "--company", "south").stdout
    )


OWNED = {  # property -> its direction in either shop
    "name": {"north": "<->", "south": "<-"},
    "price": {"north": "<-", "south": "<->"},
    "gtin": {"north": "->", "south": "<-"},
}
EDITED = {"name": "North's words", "price": "80.00", "gtin": "4006381333931"}
OVERRULED = {"name": "South's words", "price": "70.00", "gtin": "96385074"}
PRODUCT = ("product",)


@pytest.fixture
def owning(shops: Companies, tmp_path: Path) -> Companies:
    """The flow file of each shop says which properties of the item are whose."""
    for name in shops:
        file = tmp_path / name / "product.yaml"
        rows = file.read_text(encoding="utf-8").splitlines(keepends=True)
        for owned, ways in OWNED.items():
            at = next(n for n, row in enumerate(rows) if f"{{shop: {owned}," in row)
            rows[at] = rows[at].replace("dir: <->,", f"dir: {ways[name]},")
        file.write_text("".join(rows), encoding="utf-8")
    for name in ("north", "south", "north"):  # who makes the item says nothing of what is the other's
        synced(shops, name, *PRODUCT)
    return shops


def product_in(world: World) -> dict[str, Any]:
    (held,) = world.shop.all("products").values()
    return dict(held)


def said(world: World) -> dict[str, Any]:
    """What a shop says of what is owned."""
    return {name: product_in(world)[name] for name in OWNED}


def item_in(world: World) -> dict[str, Any]:
    (item,) = world.bc.all("items").values()
    return {
        "name": item["displayName"],
        "price": f"{item['unitPrice']:.2f}",
        "gtin": item["gtin"].lstrip("0"),
    }


@pytest.mark.slow
@pytest.mark.parametrize("owned", OWNED)
def test_each_property_goes_by_the_shop_that_owns_it(owning: Companies, owned: str) -> None:
    """Edited by its owner it reaches Business Central and the other shop; edited by the other it reaches nobody."""
    owner, other = sorted(owning, key=lambda name: ">" not in OWNED[owned][name])
    at_owner, at_other = owning[owner], owning[other]
    before = said(at_owner)
    at_other.shop.patch("products", product_in(at_other)["id"], {owned: OVERRULED[owned]})
    assert [synced(owning, name, *PRODUCT) for name in (other, owner)] == [0, 0]
    assert said(at_owner) == before, "nobody else's word"

    at_owner.shop.patch("products", product_in(at_owner)["id"], {owned: EDITED[owned]})
    assert [synced(owning, name, *PRODUCT) for name in (owner, other)] == [1, 1]
    assert item_in(owning["north"])[owned] == EDITED[owned]
    assert said(at_owner) == said(at_other) == before | {owned: EDITED[owned]}
    assert [synced(owning, name, *PRODUCT, full=True) for name in owning] == [0, 0]


@pytest.mark.slow
def test_each_shop_is_told_the_stock_of_its_own_place(shops: Companies, tmp_path: Path) -> None:
    places = {"north": "AARHUS", "south": "KOLDING"}
    for name, place in places.items():
        text = (PACKAGED / "optional" / "stock_level.yaml").read_text(encoding="utf-8")
        own = text.replace("entity: stockLevels}", f"entity: stockLevels, scope: {{locationCode: {place}}}}}")
        assert own != text
        (tmp_path / name / "stock_level.yaml").write_text(own, encoding="utf-8")
    synced(shops, "north", *PRODUCT)
    central = shops["north"].bc
    for place, quantity in (("AARHUS", 5), ("KOLDING", 7)):
        central.control("items/P1/stock", {"location": place, "quantity": quantity})

    def told(name: str) -> list[tuple[str, str]]:
        rows = shops[name].shop.all("stock_levels").values()
        return [(row["location"], row["quantity"]) for row in rows]

    for name in shops:
        synced(shops, name, *PRODUCT, "stock_level", full=True)
    assert {name: told(name) for name in shops} == {
        "north": [("AARHUS", "5")],
        "south": [("KOLDING", "7")],
    }
    assert {product_in(shops[name])["stock"] for name in shops} == {"12"}, "the whole is of both"
    central.control("items/P1/stock", {"location": "KOLDING", "quantity": 2})
    made = {name: synced(shops, name, "stock_level", full=True) for name in shops}
    assert made == {"north": 0, "south": 1}
    assert told("south") == [("KOLDING", "2")]


def test_shops_that_could_take_each_others_records_are_refused(shops: Companies, tmp_path: Path) -> None:
    shops.said["south"]["settings"]["TALK_FLOWS_DIR"] = str(tmp_path / "north")
    shops.write()
    for name in shops:
        refused = run("sync", "--company", name)
        assert refused.returncode == 2
        told = " ".join(refused.stderr.split())
        assert "company north and south may have the same records of customers" in told
        assert "businesscentral.scope" in told
    assert not shops["north"].bc.all("customers")


def test_a_flow_file_that_was_mended_is_read_anew(shops: Companies, tmp_path: Path) -> None:
    """By who has looked at it before, such as the daemon."""
    file = tmp_path / "south" / "customer.yaml"
    right = file.read_text(encoding="utf-8")
    file.write_text(right.replace("S-*", "N-*"), encoding="utf-8")
    assert not companies_in(shops.file).right
    file.write_text(right, encoding="utf-8")
    assert list(companies_in(shops.file).right) == ["north", "south"]
