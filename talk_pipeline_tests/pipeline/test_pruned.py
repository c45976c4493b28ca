"""What was pruned is in no page of the file, also where the command was killed before the fresh copy."""

from talk_pipeline import installation
from talk_pipeline.installation import prune
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
