"""`talk-pipeline status`: the last run, how far each flow lags behind, and how much waits for a person."""

import json
from importlib.metadata import version

from talk_pipeline.cli.attention import told_in_numbers
from talk_pipeline.cli.tables import console, line, print_table
from talk_pipeline.cli.telling import headline, run_document
from talk_pipeline.declarations import flows_of
from talk_pipeline.engine.report.ages import age, seconds_since
from talk_pipeline.engine.report.attention import attention
from talk_pipeline.engine.report.overview import Whereabouts, whereabouts
from talk_pipeline.engine.report.sheet import sheet_of
from talk_pipeline.installation import known_state
from talk_pipeline.settings import Settings

COLUMNS = ("flow", "last carried through", "lag", "run", "open requests")


def told_version() -> str:
    """The program and its release."""
    return f"talk-pipeline {version('talk-pipeline')}"


def print_status(*, as_json: bool) -> None:
    """How things stand, from the database alone."""
    settings = Settings.load()
    flows = flows_of(settings)
    with known_state(settings).once() as db:
        sheet = sheet_of(db, flows)
        where = whereabouts(db, flows)
        numbers = attention(db, flows, most=0).counts
    if as_json:
        run = sheet and {**run_document(sheet), "age_seconds": seconds_since(sheet.run.started_at)}
        told = {
            "version": version("talk-pipeline"),
            "run": run,
            "flows": {one.flow: one.document() for one in where},
            "attention": {"total": sum(numbers.values()), "counts": numbers},
        }
        print(json.dumps(told, indent=2))
        return
    out = console()
    line(out, f"{age(sheet.run.started_at)} ago: {headline(sheet)}" if sheet else "no run yet")
    print_table(out, None, COLUMNS, map(_cells, where))
    line(out, told_in_numbers(numbers) + ("; see talk-pipeline attention" if any(numbers.values()) else ""))


def _cells(one: Whereabouts) -> tuple[str, ...]:
    requests = str(one.open_requests)
    if one.open_until:
        requests += f", until {one.open_until:%Y-%m-%d %H:%M:%S}"
    return (
        one.flow,
        f"{one.in_step_at:%Y-%m-%d %H:%M:%S}" if one.in_step_at else "never",
        age(one.in_step_at),
        (one.run_id or "")[:8],
        requests,
    )
