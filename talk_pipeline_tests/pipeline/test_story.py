"""The story comes out as it is told, under any shop that can carry it; `make story` tells it by itself."""

from pathlib import Path

import dagster as dg
import pytest

from talk_pipeline_tests.story.__main__ import tell
from talk_pipeline_tests.world import opened_world


@pytest.mark.long
@pytest.mark.optimized
@pytest.mark.slow
def test_the_story_comes_out_as_told(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    with opened_world(tmp_path, empty=False, instance=instance) as world:
        assert tell(world) == []
