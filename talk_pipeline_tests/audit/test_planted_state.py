"""What is planted in the state explains nothing that it could not bring about."""

import pytest

from talk_pipeline_tests.audit.planting import LONG_AGO, named
from talk_pipeline_tests.pipeline.records import customer
from talk_pipeline_tests.world import World

STATUS = (
    "insert into status select part, shop_id, '{}', 'planted', linked_at from link where part = 'customer'"
)
SENT = "update journal set outcome = {}, intent_at = intent_at - interval {}"


def test_a_link_that_is_held_without_a_reason_is_named(world: World) -> None:
    made = world.shop.post("customers", customer())["id"]
    assert not world.pass_over("customer", full=True)
    with world.database() as db:
        db.execute("update link set state = 'held', rule = 'by hand', bc_id = null")
    assert named("customer") == {("customer", "", made), ("customer", "", "None")}


@pytest.mark.parametrize(
    ("planted", "explains"),
    [
        (STATUS.format("held"), False),
        (STATUS.format("closed"), False),
        (SENT.format("null", "2 days"), False),
        (SENT.format("'unknown'", "2 days"), False),
        (SENT.format("'unknown'", "2 hours"), True),
    ],
)
def test_what_cannot_be_of_a_pair_explains_no_value(world: World, planted: str, *, explains: bool) -> None:
    made = world.shop.post("customers", customer())["id"]
    assert not world.pass_over("customer", full=True)
    with world.database() as db:
        db.execute(planted)
    world.shop.back_office("PATCH", f"customers/{made}", {"website": "planted.example"}, ago=LONG_AGO)
    assert (("customer", "website", made) not in named("customer")) is explains
