"""`--company`: which of several companies a command is about, and all of them one after the other.

Where `TALK_COMPANIES` names no file there is one company, and a command is about that.
"""

import functools
import inspect
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from talk_pipeline.acting import acting_for
from talk_pipeline.cli.exits import Exit, Interrupted, UsageError, told_in_a_line
from talk_pipeline.cli.terminal import say
from talk_pipeline.settings import Settings
from talk_pipeline.stopping import StoppedError, go_on

if TYPE_CHECKING:
    from talk_pipeline.companies import Companies

Command = Callable[..., None]
Act = Callable[[], None]
Given = Mapping[str, Any]
CompanyName = Annotated[
    str | None,
    typer.Option("--company", metavar="NAME", envvar="TALK_COMPANY", help="One of TALK_COMPANIES."),
]
_OPTION = inspect.Parameter("company", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=CompanyName)

_collected: ContextVar[dict[str, Any] | None] = ContextVar("collected", default=None)


def of_a_company(command: Command) -> Command:
    """A command about one company, which has to be named where there are several."""

    def about_one(company: str | None, known: "Companies | None", act: Act, given: Given) -> None:
        if known is not None and company is None:
            raise UsageError(
                f"which company? There are several in {known.file}: --company NAME or TALK_COMPANY, one of"
                f" {', '.join(known)}"
            )
        with _for(known, company):
            act()

    return _with_option(command, about_one)


def of_each_company(command: Command) -> Command:
    """A command about one company, or about each of them: its exit status is then the worst of theirs.

    A file that it writes is one company's: each would write over that of the one before.
    """

    def about_each(company: str | None, known: "Companies | None", act: Act, given: Given) -> None:
        if known is None or company is not None:
            with _for(known, company):
                act()
            return
        for option, file in given.items():
            if isinstance(file, Path):
                raise UsageError(
                    f"--{option} {file}: is one file, and there are several companies in {known.file}:"
                    f" --company NAME or TALK_COMPANY, one of {', '.join(known)}"
                )
        ends = {}
        with _collecting() as told:
            for name in known:
                say(f"== {name}", err=bool(given.get("as_json")))
                ends[name] = _ended(known, name, act)
        if told and given.get("as_json"):  # what went wrong was told in a line already
            say(json.dumps({"companies": told}, indent=2))
        raise typer.Exit(max(ends.values()))

    return _with_option(command, about_each)


def of_any_company(command: Command) -> Command:
    """A command about one company, or about all of them together, which it sees to itself."""

    def about_any(company: str | None, known: "Companies | None", act: Act, given: Given) -> None:
        with _for(known, company):
            act()

    return _with_option(command, about_any)


def tell(document: dict[str, Any]) -> None:
    """Prints a document, or keeps it for the one of all companies."""
    told = _collected.get()
    company = None if told is None else Settings.load().company
    if told is None or company is None:
        say(json.dumps(document, indent=2))
    else:
        told[company.name] = document


def companies() -> "Companies | None":
    """The companies of the installation, where there are several."""
    file = Settings.load().talk_companies
    if file is None:
        return None
    from talk_pipeline.companies import companies_in

    return companies_in(file)


def _for(known: "Companies | None", company: str | None) -> AbstractContextManager[None]:
    return acting_for(known[company] if known is not None and company is not None else None)


def _with_option(command: Command, about: Callable[..., None]) -> Command:
    @functools.wraps(command)
    def chosen(*, company: str | None = None, **given: Any) -> None:
        known = companies()
        if company is not None and known is None:
            raise UsageError(
                f"--company {company}: there is one company, and it has no name; a file of several is named by"
                " TALK_COMPANIES"
            )
        about(company, known, lambda: command(**given), given)

    own = inspect.signature(command)
    parameters = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in own.parameters.values()]
    chosen.__dict__["__signature__"] = own.replace(parameters=[*parameters, _OPTION])
    chosen.__annotations__ = {**command.__annotations__, "company": CompanyName}
    return chosen


@contextmanager
def _collecting() -> Iterator[dict[str, Any]]:
    told: dict[str, Any] = {}
    token = _collected.set(told)
    try:
        yield told
    finally:
        _collected.reset(token)


def _ended(known: "Companies", name: str, act: Act) -> int:
    """How the command ended for one company: whatever goes wrong there is told, and the others go on."""
    try:
        with acting_for(known[name]):
            act()
    except (typer.Abort, Interrupted, StoppedError):
        raise
    except typer.Exit as end:
        return end.exit_code
    except Exception as error:
        go_on()
        status, text = told_in_a_line(error)
        say(f"error: {name}: {text}", err=True)
        if (told := _collected.get()) is not None:
            told[name] = {"error": text}
        return status
    return Exit.OK
