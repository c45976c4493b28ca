"""`talk-pipeline undo`: which run is meant, and what was put back; the run that does it is `syncing`'s business."""

from collections import Counter
from typing import Any

from rich.console import Console

from talk_pipeline.cli.exits import UsageError
from talk_pipeline.cli.tables import console, line, print_table
from talk_pipeline.declarations import flows_of
from talk_pipeline.engine.manual.lookup import named_flow
from talk_pipeline.engine.plan.undo import Case, flows_written, outcome
from talk_pipeline.engine.report.runs import named_run
from talk_pipeline.installation import Connections
from talk_pipeline.run.session import Options
from talk_pipeline.settings import Settings
from talk_pipeline.states import known_state
from talk_pipeline.wording import counted

LISTED_CASES = 50
COLUMNS = ("record", "system", "property", "now", "before that run", "why left")

Undone = tuple[list[Case], list[Case]]
"""What was put back, and what is left."""


def undoing(
    text: str, names: tuple[str, ...], *, dry_run: bool, approve: bool
) -> tuple[tuple[str, ...], Options]:
    """The flows and the options of a run that undoes another.

    Raises:
        ByHandError: no run, or several, are known by that id; no flow has that name.
        UsageError: it wrote nothing, in the flows asked for.
    """
    settings = Settings.load()
    flows = flows_of(settings)
    with known_state(settings).once() as db:
        run_id = named_run(db, text)
        written = flows_written(db, flows, run_id)
    for name in names:
        named_flow(flows, name)
    chosen = tuple(name for name in written if not names or name in names)
    if not chosen:
        where = f"; it wrote in {', '.join(written)}" if written else ""
        raise UsageError(f"run {run_id} wrote nothing" + (f" in {', '.join(names)}{where}" if names else ""))
    return chosen, Options(dry_run=dry_run, approve=approve, undo=run_id)


def undone_by(connections: Connections, wanted: tuple[str, ...], *, run_id: str, options: Options) -> Undone:
    """What the run put back of another, in all its flows; nothing where it was not to."""
    back: list[Case] = []
    left: list[Case] = []
    if options.undo:
        with connections.state.once() as db:
            for name in wanted:
                found = outcome(
                    db,
                    connections.flows[name],
                    options.undo,
                    company=connections.company,
                    by=run_id,
                    dry_run=options.dry_run,
                )
                back += found[0]
                left += found[1]
    return back, left


def undone_document(options: Options, undone: Undone, *, by: str) -> dict[str, Any]:
    """For scripts."""
    if not options.undo:
        return {}
    back, left = ([case.document() for case in cases] for cases in undone)
    return {"undo": {"run": options.undo, "by": by, "put_back": back, "left": left}}


def print_undone(options: Options, undone: Undone) -> None:
    """For a terminal: the first of both lists, and why things were left."""
    if not options.undo:
        return
    out = console()
    back, left = undone
    would = "would be put back" if options.dry_run else "put back"
    _print_cases(out, f"{would}: {counted(len(back), 'value')} of run {options.undo}", back)
    _print_cases(out, f"left as they are: {len(left)}", left)
    reasons = Counter(str(case.reason).partition(":")[0] for case in left)
    for reason, count in reasons.most_common():
        line(out, f"{count} x {reason}")


def _print_cases(out: Console, title: str, cases: list[Case]) -> None:
    if not cases:
        line(out, title)
    print_table(out, title, COLUMNS, map(_cells, cases[:LISTED_CASES]))
    if len(cases) > LISTED_CASES:
        line(out, f"... and {len(cases) - LISTED_CASES} more: --json lists all")


def _cells(case: Case) -> tuple[str, ...]:
    record = f"{case.part} {case.shop_id or case.bc_id}"
    values = (_render(case.now), _render(case.before)) if case.property else ("", "")
    return record, str(case.target), case.property or "", *values, case.reason or ""


def _render(value: str | None) -> str:
    return "blank" if value is None else value
