"""A record that was deleted and made again under its key between two readings of everything."""

from talk_pipeline_tests.pipeline.records import customer
from talk_pipeline_tests.world import World


def test_what_has_the_key_of_a_record_that_is_gone_shows_that_it_is(world: World) -> None:
    key = world.shop.post("customers", customer("A"))["id"]
    for _ in range(2):
        assert world.step().success
    before = world.counterpart("customer", key)
    known = world.bc.get("customers", before)
    world.let_time_pass()
    world.bc.delete("customers", before)
    anew = {name: known[name] for name in ("number", "displayName", "taxRegistrationNumber")}
    made = world.bc.post("customers", anew)["id"]
    run = world.step()
    assert run.success
    assert run.finding("customer", "create_keys_unique").passed
    state, why = world.state("customer", key) or ("", "")
    assert (state, made != before) == ("broken", True), why
