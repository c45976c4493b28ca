"""What a person says of two records, as the commands pass it on, and a customer to say it of."""

from talk_pipeline.engine.manual import links, sharing
from talk_pipeline.engine.manual.decisions import Decision
from talk_pipeline.installation import carry_out
from talk_pipeline.settings import Settings
from talk_pipeline_tests.world import World

WHO = "Ann"


def link(shop_id: str, bc_id: str, flow: str = "customer", *, lead: bool = False) -> Decision:
    return carry_out(
        Settings.load(), flow, lambda hand: sharing.link(hand, shop_id, bc_id, lead=lead), by=WHO
    )


def unlink(shop_id: str, flow: str = "customer", *, recreate: bool = False) -> Decision:
    return carry_out(
        Settings.load(), flow, lambda hand: links.unlink(hand, shop_id, recreate=recreate), by=WHO
    )


def keep_apart(shop_id: str, bc_id: str) -> Decision:
    return carry_out(Settings.load(), "customer", lambda hand: links.keep_apart(hand, shop_id, bc_id), by=WHO)


def bc_customer(world: World, number: str, **values: object) -> str:
    row = {"number": number, "displayName": f"Customer {number}", "type": "Company"} | values
    return str(world.bc.post("customers", row)["id"])
