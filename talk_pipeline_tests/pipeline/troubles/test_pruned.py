"""What was pruned or forgotten is in no page of the file, also where that was killed before the fresh copy."""

from talk_pipeline import installation
from talk_pipeline.installation import forget, prune
from talk_pipeline.settings import Settings
from talk_pipeline_tests.pipeline.records import customer
from talk_pipeline_tests.proof.killing import Place, cut, interrupted, surviving
from talk_pipeline_tests.world import World

WORD = "www.once-upon-a-time.example"


def test_a_prune_that_was_killed_before_the_fresh_copy_is_ended_by_the_next(world: World) -> None:
    world.shop.post("customers", customer())
    assert world.step("customer").problems == []
    old = "insert into check_result (run_id, flow, name, summary, checked_at) select 'old', 'customer', 'c' || i"
    world.sql(f"{old}, ?, now() - interval 9 year from range(2) t(i)", WORD)
    with surviving(), interrupted(Place(installation, "compact"), 1, by=cut):
        prune(Settings.load())
    assert world.sql("select 1 from meta where key = 'compact'")
    assert WORD.encode() in (world.data / "talk.duckdb").read_bytes(), "the pages are still there"
    left = (world.data / "talk.duckdb").stat().st_ino
    assert prune(Settings.load())[0] == 0
    assert world.sql("select 1 from meta where key = 'compact'") == []
    assert (world.data / "talk.duckdb").stat().st_ino != left, "it is another file"
    assert WORD.encode() not in (world.data / "talk.duckdb").read_bytes()


def test_a_person_is_in_no_page_after_the_next_prune_where_to_forget_was_killed(world: World) -> None:
    buyer = world.shop.post("customers", customer(website=WORD))["id"]
    assert world.step("customer").problems == []
    world.bc.delete("customers", world.counterpart("customer", buyer))
    world.shop.delete("customers", buyer)
    assert world.step("customer", full=True).problems == []
    with surviving(), interrupted(Place(installation, "compact"), 1, by=cut):
        forget(Settings.load(), "customer", buyer, by="Ann")
    left = (world.data / "talk.duckdb").stat().st_ino
    prune(Settings.load())
    assert (world.data / "talk.duckdb").stat().st_ino != left, "it is another file"
    assert WORD.encode() not in (world.data / "talk.duckdb").read_bytes()
