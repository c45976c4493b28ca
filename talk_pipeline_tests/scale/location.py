"""The code location of these tests: a run's tag says whose it is, and nothing is started by itself."""

import json
import os
from pathlib import Path

import dagster as dg

from talk_pipeline.dagster.build import build_defs
from talk_pipeline.dagster.jobs import RESOURCE
from talk_pipeline.dagster.resources import Pipeline
from talk_pipeline.declarations import flows_of
from talk_pipeline.settings import Settings


class OfCompany(Pipeline):
    """Works for the company that the run is tagged with."""

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        assert context.run
        companies = json.loads(Path(os.environ["SCALE_COMPANIES"]).read_text())
        os.environ.update(companies[context.run.tags["company"]])
        super().setup_for_execution(context)


def _of_companies() -> dg.Definitions:
    whole = build_defs(flows_of(Settings.load()), resources={RESOURCE: OfCompany.configure_at_launch()})
    return dg.Definitions(
        assets=whole.assets,
        asset_checks=whole.asset_checks,
        jobs=whole.jobs,
        resources=whole.resources,
        executor=whole.executor,
    )


defs = _of_companies()
