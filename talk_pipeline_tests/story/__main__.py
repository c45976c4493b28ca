"""Tells the story, and exits with 1 when anything came out otherwise."""

import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import dagster as dg

from talk_pipeline_tests.outcome import Run
from talk_pipeline_tests.story import checker
from talk_pipeline_tests.story.cast import Cast
from talk_pipeline_tests.story.photographs import misdeeds, photograph
from talk_pipeline_tests.story.plot import CHAPTERS, Beginning
from talk_pipeline_tests.world import World, opened_world

FLOWS = ("customer", "product", "order")


def main() -> int:
    """The whole story; returns the exit status."""
    warnings.simplefilter("ignore")
    with (
        tempfile.TemporaryDirectory() as folder,
        dg.DagsterInstance.ephemeral() as instance,
        opened_world(Path(folder), empty=False, instance=instance) as world,
    ):
        return 1 if tell(world) else 0


def tell(world: World) -> list[str]:
    """Every scene with what came of it; returns what came out otherwise."""
    cast = Cast(world)
    before = checker.persons(world)
    wrong: list[str] = []
    cast.run = world.sync()
    print(f"At first: {len(cast.ids)} records of the story, linked; {cast.run.writes()} writes\n")
    number = 0
    for title, scenes in CHAPTERS:
        print(title)
        for scene in scenes:
            scene.act(cast)
        cast.run = _synchronized(world, undo=cast.undo, wrong=wrong)
        for scene in scenes:
            number += 1
            print(f"{number:>4}. {scene.told}")
            for name, look, expected in scene.outcome:
                found = look(cast)
                right = _same(found, expected)
                told = f", expected {expected!r}" if not right else ""
                print(f"      {'ok ' if right else 'NOT'} {name}: {found!r}{told}")
                wrong += [] if right else [f"{number}. {name} is {found!r}, expected {expected!r}"]
        print()
    wrong += list(_invariants(world, before=before))
    print("\n".join(["Came out otherwise:", *wrong]) if wrong else "Everything came out as told.")
    return wrong


def _synchronized(world: World, *, undo: str | None, wrong: list[str]) -> Run:
    """One run, and whether it did to the systems what it may, and not more."""
    before = photograph(world)
    world.forget_requests()
    run = world.sync(full=undo is None, undo=undo)
    wrong += [*run.problems, *misdeeds(world, before, photograph(world))]
    return run


def _same(found: Any, expected: Any) -> bool:
    if isinstance(expected, Beginning):
        return str(found).startswith(expected)
    if isinstance(expected, int | float) and not isinstance(expected, bool):
        return float(found) == float(expected)
    return bool(found == expected) or (not found and not expected)


def _invariants(world: World, *, before: Any) -> list[str]:
    """What must hold after two quiet runs, whatever happened."""
    runs: list[Run] = []
    for _ in range(2):
        world.forget_requests()
        runs.append(world.sync())
    wrong = [f"a quiet run still wrote: {world.writes()}"] if any(world.writes().values()) else []
    wrong += [f"{one}" for run in runs for one in run.problems]
    reasons = {flow: dict(_reasons(world, flow)) for flow in FLOWS}
    wrong += list(checker.violations(world, reasons=reasons))
    after = checker.persons(world)
    wrong += ["a private customer was touched"] if after != before else []
    print("Afterwards")
    print(f"      two runs: {runs[0].writes()} and {runs[1].writes()} writes")
    for flow in FLOWS:
        held = len(world.shop.all(f"{flow}s"))
        print(f"      {flow}: {held} in the shop, {len(reasons[flow])} listed with a reason")
    print(f"      {len(after)} private customers untouched\n")
    return wrong


def _reasons(world: World, flow: str) -> list[tuple[str, str]]:
    """What the checklist lists: shop records that are not simply in step, and changes that are withheld."""
    rows = world.sql("select shop_id, reason from status where flow = ?", flow)
    rows += world.sql("select distinct root_shop_id, hold_reason from change where flow = ?", flow)
    return [(str(shop_id), str(reason)) for shop_id, reason in rows]


if __name__ == "__main__":
    sys.exit(main())
