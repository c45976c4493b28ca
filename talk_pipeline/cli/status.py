"""`talk-pipeline status`: the last run, how far each flow lags behind, and how much waits for a person."""

from collections import Counter
from collections.abc import Iterable
from importlib.metadata import version
from typing import TYPE_CHECKING

from talk_pipeline.acting import acting_for
from talk_pipeline.cli.attention import told_in_numbers
from talk_pipeline.cli.company import companies, tell
from talk_pipeline.cli.exits import Exit, told_in_a_line
from talk_pipeline.cli.standing import Budget, Standing, standing_of
from talk_pipeline.cli.tables import console, line, print_table
from talk_pipeline.cli.telling import headline
from talk_pipeline.engine.report.ages import age
from talk_pipeline.engine.report.overview import Whereabouts
from talk_pipeline.settings import Settings
from talk_pipeline.stopping import go_on
from talk_pipeline.wording import counted

if TYPE_CHECKING:
    from talk_pipeline.companies import Companies

COLUMNS = ("flow", "last carried through", "lag", "run", "open requests")
OF_COMPANIES = ("company", "last run", "verdict", "lag", "waiting", "open requests", "limits used")


def told_version() -> str:
    """The program and its release."""
    return f"talk-pipeline {version('talk-pipeline')}"


def print_status(*, as_json: bool) -> Exit:
    """How things stand, from the databases and the files beside them alone: of a company, or of all."""
    settings = Settings.load()
    known = None if settings.company else companies()
    if known is not None:
        return _print_all(known, as_json=as_json)
    standing = standing_of(settings)
    if as_json:
        tell({"version": version("talk-pipeline"), **standing.document()})
        return Exit.OK
    out = console()
    sheet = standing.sheet
    line(out, f"{age(sheet.run.started_at)} ago: {headline(sheet)}" if sheet else "no run yet")
    print_table(out, None, COLUMNS, map(_cells, standing.where))
    if standing.budgets:
        line(out, f"used of the limits: {_used(standing.budgets)}")
    numbers = standing.waiting
    line(out, told_in_numbers(numbers) + ("; see talk-pipeline attention" if any(numbers.values()) else ""))
    return Exit.OK


def _print_all(known: "Companies", *, as_json: bool) -> Exit:
    standing, wrong = dict[str, Standing](), dict[str, tuple[Exit, str]]()
    for name in known:
        try:
            with acting_for(known[name]):
                standing[name] = standing_of(Settings.load())
        except Exception as error:  # the others are told of all the same
            go_on()
            wrong[name] = told_in_a_line(error)
    if as_json:
        documents = {
            name: {"error": wrong[name][1]} if name in wrong else standing[name].document() for name in known
        }
        tell({"version": version("talk-pipeline"), "companies": documents})
    else:
        out = console()
        print_table(out, None, OF_COMPANIES, (_row(name, standing.get(name)) for name in known))
        for name, (_, text) in wrong.items():
            line(out, f"{name}: {text}")
        numbers = Counter[str]()
        for one in standing.values():
            numbers.update(one.waiting)
        line(out, f"{counted(len(known), 'company')}; {told_in_numbers(dict(numbers))}")
    return max((status for status, _ in wrong.values()), default=Exit.OK)


def _row(name: str, standing: Standing | None) -> tuple[str, ...]:
    if standing is None:
        return name, *["?"] * (len(OF_COMPANIES) - 1)
    lags = [one.in_step_at for one in standing.where]
    oldest = min((at for at in lags if at), default=None)
    return (
        name,
        f"{age(standing.sheet.run.started_at)} ago" if standing.sheet else "never",
        standing.sheet.verdict if standing.sheet else "",
        age(oldest) if all(lags) else "never carried through",
        str(sum(standing.waiting.values())),
        str(standing.open_requests),
        _used(standing.budgets),
    )


def _used(budgets: Iterable[Budget]) -> str:
    """Of each application, in the window that ends now."""
    return ", ".join(
        " ".join(filter(None, (str(one.side), one.application, f"{_number(one.used)} of {one.allowed}")))
        for one in budgets
    )


def _number(known: int | None) -> str:
    return "?" if known is None else str(known)


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
