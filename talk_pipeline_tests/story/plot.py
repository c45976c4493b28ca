"""What happens, and what is to come of it. Everything in one chapter happens before the pipeline runs again."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from talk_pipeline_tests.pipeline.records import customer, line, order, product
from talk_pipeline_tests.story.cast import Cast

Look = Callable[[Cast], Any]


@dataclass(frozen=True)
class Scene:
    """One thing that happens.

    Attributes:
        told: in words.
        act: what is done.
        outcome: what to look at afterwards, by what it is called, and what it must say.
    """

    told: str
    act: Callable[[Cast], Any]
    outcome: tuple[tuple[str, Look, Any], ...]


def shop(key: str, path: str, value: Any) -> tuple[str, Look, Any]:
    """What the shop holds."""
    return f"shop {key} {path}", lambda cast: _at(cast.shop(key), path), value


def bc(key: str, path: str, value: Any) -> tuple[str, Look, Any]:
    """What Business Central holds."""
    return f"bc {key} {path}", lambda cast: _at(cast.bc(key), path), value


class Beginning(str):
    """How a text begins; the rest is for the reader."""

    __slots__ = ()


def state(key: str, says: str) -> tuple[str, Look, Any]:
    """What the pipeline says of a record; the beginning of it."""
    return f"state of {key}", lambda cast: cast.state(key), Beginning(says)


def _at(row: Any, path: str) -> Any:
    for step in path.split("."):
        row = row[int(step)] if step.isdigit() else row[step]
    return row


def _two(cast: Cast, *acts: Callable[[], Any]) -> None:
    for act in acts:
        act()
        cast.world.let_time_pass()


EDITS = (
    Scene(
        "S-ADA gets a new website in the shop",
        lambda c: c.edit("S-ADA", website="www.ada.example"),
        (bc("S-ADA", "website", "www.ada.example"),),
    ),
    Scene(
        "S-BO gets a new phone in Business Central",
        lambda c: c.edit_bc("S-BO", phoneNumber="+45 44 44 44 44"),
        (shop("S-BO", "phone", "+45 44 44 44 44"),),
    ),
    Scene(
        "S-CAI moves in the shop, and gets a new e-mail in Business Central",
        lambda c: _two(
            c,
            lambda: c.edit("S-CAI", address={"line1": "New Street 7"}),
            lambda: c.edit_bc("S-CAI", email="cai@there.example"),
        ),
        (
            bc("S-CAI", "addressLine1", "New Street 7"),
            shop("S-CAI", "email", "cai@there.example"),
            shop("S-CAI", "address.line1", "New Street 7"),
        ),
    ),
    Scene(
        "S-DAN gets two different websites, the later one in Business Central",
        lambda c: _two(
            c,
            lambda: c.edit("S-DAN", website="www.earlier.example"),
            lambda: c.edit_bc("S-DAN", website="www.later.example"),
        ),
        (shop("S-DAN", "website", "www.later.example"), bc("S-DAN", "website", "www.later.example")),
    ),
    Scene(
        "S-EVA gets the same new name on both sides",
        lambda c: _two(
            c,
            lambda: c.edit("S-EVA", company_name="Same Name"),
            lambda: c.edit_bc("S-EVA", displayName="Same Name"),
        ),
        (shop("S-EVA", "company_name", "Same Name"), bc("S-EVA", "displayName", "Same Name")),
    ),
    Scene(
        "S-FIE is blocked in Business Central",
        lambda c: c.edit_bc("S-FIE", blocked="All"),
        (shop("S-FIE", "active", False),),
    ),
    Scene(
        "S-GUS is made inactive in the shop",
        lambda c: c.edit("S-GUS", active=False),
        (bc("S-GUS", "blocked", "All"),),
    ),
    Scene(
        "S-HAL gets an e-mail that is none in the shop: poison",
        lambda c: c.edit("S-HAL", email="at home", website="www.hal.example"),
        (
            state("S-HAL", "quarantined: email: 'at home' is not an e-mail address"),
            bc("S-HAL", "email", "shal@company.example"),
            bc("S-HAL", "website", "www.hal.example"),
        ),
    ),
    Scene(
        "S-IDA gets a note in the shop, which is nobody else's business",
        lambda c: c.edit("S-IDA", note="call before noon"),
        (shop("S-IDA", "note", "call before noon"), bc("S-IDA", "displayName", "Company S-IDA")),
    ),
    Scene(
        "S-AXE gets a new price in the shop",
        lambda c: c.edit("S-AXE", price="149.50"),
        (bc("S-AXE", "unitPrice", 149.5),),
    ),
    Scene(
        "S-BOX gets a new name in Business Central",
        lambda c: c.edit_bc("S-BOX", displayName="Box with lid"),
        (shop("S-BOX", "name", "Box with lid"),),
    ),
    Scene(
        "S-CUP gets a new name in the shop, and a new cost in Business Central",
        lambda c: _two(c, lambda: c.edit("S-CUP", name="Mug"), lambda: c.edit_bc("S-CUP", unitCost=33)),
        (bc("S-CUP", "displayName", "Mug"), shop("S-CUP", "cost", "33.00"), shop("S-CUP", "name", "Mug")),
    ),
    Scene(
        "S-DYE gets a GTIN in the shop",
        lambda c: c.edit("S-DYE", gtin="5701234567899"),
        (bc("S-DYE", "gtin", "5701234567899"),),
    ),
    Scene(
        "S-EGG is counted in Business Central: 12 are there",
        lambda c: c.world.bc.control(f"items/{c.bc_id('S-EGG')}/stock", {"quantity": "12"}),
        (shop("S-EGG", "stock", "12"),),
    ),
    Scene(
        "S-FAN gets a price in another currency in the shop: poison",
        lambda c: c.edit("S-FAN", currency="SEK", name="Fan, quiet"),
        (state("S-FAN", "quarantined: "), bc("S-FAN", "displayName", "Fan, quiet")),
    ),
    Scene(
        "S-GUM gets a category in the shop that Business Central does not know: refused",
        lambda c: c.edit("S-GUM", category="NOWHERE"),
        (state("S-GUM", "quarantined: "), bc("S-GUM", "itemCategoryCode", "")),
    ),
    Scene(
        "S-1 gets another e-mail in the shop",
        lambda c: c.edit("S-1", email="dock@company.example"),
        (bc("S-1", "email", "dock@company.example"),),
    ),
    Scene(
        "S-2 gets a delivery date in Business Central",
        lambda c: c.edit_bc("S-2", requestedDeliveryDate="2026-12-24"),
        (shop("S-2", "requested_delivery_date", "2026-12-24"),),
    ),
    Scene(
        "S-3 gets more of its first line in the shop",
        lambda c: c.edit_line("S-3", 0, quantity="7"),
        (bc("S-3", "salesOrderLines.0.quantity", 7), bc("S-3", "salesOrderLines.0.unitPrice", 100)),
    ),
    Scene(
        "S-4 gets a better price on its second line in Business Central",
        lambda c: c.edit_bc_line("S-4", 1, unitPrice=17.5),
        (shop("S-4", "lines.1.unit_price", "17.50"),),
    ),
    Scene(
        "S-5 gets a third line in the shop",
        lambda c: c.edit(
            "S-5",
            lines=[*({"id": row["id"]} for row in c.shop("S-5")["lines"]), line(c.ids["S-CUP"], "3", "9.00")],
        ),
        (bc("S-5", "salesOrderLines.2.quantity", 3), bc("S-5", "salesOrderLines.2.unitPrice", 9)),
    ),
    Scene(
        "S-6 loses its first line in Business Central, while its second changes in the shop",
        lambda c: _two(
            c,
            lambda: c.edit_line("S-6", 1, description="Boxes, brown"),
            lambda: c.world.bc.delete("salesOrderLines", c.bc("S-6")["salesOrderLines"][0]["id"]),
        ),
        (
            ("shop S-6 lines", lambda c: len(c.shop("S-6")["lines"]), 1),
            bc("S-6", "salesOrderLines.0.description", "Boxes, brown"),
        ),
    ),
    Scene(
        "S-7 has its lines put in another order in the shop, which means nothing",
        lambda c: c.edit("S-7", lines=[{"id": row["id"]} for row in reversed(c.shop("S-7")["lines"])]),
        (bc("S-7", "salesOrderLines.0.quantity", 2), bc("S-7", "salesOrderLines.1.quantity", 5)),
    ),
    Scene(
        "S-8 is released in Business Central",
        lambda c: c.act("S-8", "release"),
        (shop("S-8", "status", "processing"),),
    ),
    Scene(
        "S-NEW is ordered by a customer and of a product that are new as well",
        lambda c: _arrive(c),
        (("bc S-NEW lines", lambda c: len(_new_order(c)["salesOrderLines"]), 1),),
    ),
)

AFTERMATH = (
    Scene(
        "S-8, released, gets more of a line and another phone in the shop: only the phone may go",
        lambda c: _two(
            c, lambda: c.edit_line("S-8", 0, quantity="99"), lambda: c.edit("S-8", phone="+45 66 66 66 66")
        ),
        (bc("S-8", "salesOrderLines.0.quantity", 2), bc("S-8", "phoneNumber", "+45 66 66 66 66")),
    ),
    Scene(
        "S-2 is shipped and invoiced in Business Central",
        lambda c: _two(c, lambda: c.act("S-2", "ship"), lambda: c.act("S-2", "invoice")),
        (shop("S-2", "status", "completed"), state("S-2", "closed: posted in Business Central")),
    ),
    Scene(
        "S-7 is cancelled in the shop: listed, and left to a person",
        lambda c: c.edit("S-7", status="cancelled"),
        (shop("S-7", "status", "cancelled"), bc("S-7", "status", "Draft")),
    ),
    Scene(
        "S-JON is deleted in Business Central: listed, and deleted nowhere",
        lambda c: c.world.bc.delete("customers", c.bc_id("S-JON")),
        (
            state("S-JON", "broken: the Business Central record is vanished"),
            shop("S-JON", "deleted_at", None),
        ),
    ),
    Scene(
        "S-EGG is deleted in the shop: listed, and deleted nowhere",
        lambda c: c.world.shop.delete("products", c.ids["S-EGG"]),
        (state("S-EGG", "broken: the shop record is deleted"), bc("S-EGG", "number", "S-EGG")),
    ),
    Scene(
        "S-HAL gets a proper e-mail: it clears itself",
        lambda c: c.edit("S-HAL", email="hal@company.example"),
        (bc("S-HAL", "email", "hal@company.example"), state("S-HAL", "active")),
    ),
)

MISTAKE = (
    Scene(
        "a script in the shop gives S-ADA, S-BO and S-IDA one and the same website",
        lambda c: _script(c),
        tuple(bc(key, "website", "www.script.example") for key in ("S-ADA", "S-BO", "S-IDA")),
    ),
)

UNDONE = (
    Scene(
        "the run that carried it over is undone, but S-IDA has got her right website in Business Central since",
        lambda c: _two(c, lambda: c.edit_bc("S-IDA", website="www.ida.example"), lambda: c.undo_last_run()),
        (
            bc("S-ADA", "website", "www.ada.example"),
            shop("S-ADA", "website", "www.ada.example"),
            bc("S-BO", "website", "www.sbo.example"),
            shop("S-BO", "website", "www.sbo.example"),
            bc("S-IDA", "website", "www.ida.example"),
            shop("S-IDA", "website", "www.ida.example"),
        ),
    ),
)

CHAPTERS = (
    ("Edits on both sides", EDITS),
    ("What follows", AFTERMATH),
    ("A mistake on a larger scale", MISTAKE),
    ("And how it is undone", UNDONE),
)


def _script(cast: Cast) -> None:
    for key in ("S-ADA", "S-BO", "S-IDA"):
        cast.edit(key, website="www.script.example")


def _arrive(cast: Cast) -> None:
    new = cast.world.shop
    buyer = new.post("customers", customer("S-NEWC"))["id"]
    item = new.post("products", product("S-NEWP"))["id"]
    new.post("orders", order("S-NEW", buyer, [line(item)]))


def _new_order(cast: Cast) -> Any:
    (row,) = (r for r in cast.world.bc.orders().values() if r["externalDocumentNumber"] == "S-NEW")
    return row
