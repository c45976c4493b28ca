"""The code location of these tests: that of several companies, in which nothing starts by itself."""

import dagster as dg

from talk_pipeline.dagster.build import build_all
from talk_pipeline.settings import Settings


def _without_sensors() -> dg.Definitions:
    whole = build_all(Settings.load())
    return dg.Definitions(
        assets=whole.assets,
        asset_checks=whole.asset_checks,
        jobs=whole.jobs,
        resources=whole.resources,
        executor=whole.executor,
    )


defs = _without_sensors()
