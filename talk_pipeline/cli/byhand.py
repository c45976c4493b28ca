"""`talk-pipeline link`, `unlink`, `resolve` and `retry`: a person's decisions, noted with who made them."""

import getpass
from collections.abc import Callable

from talk_pipeline.cli.company import tell
from talk_pipeline.cli.exits import UsageError
from talk_pipeline.cli.terminal import say
from talk_pipeline.engine.manual import links, resolutions, sharing
from talk_pipeline.engine.manual.decisions import Decision, Hand
from talk_pipeline.flows.sides import Side
from talk_pipeline.installation import carry_out
from talk_pipeline.settings import Settings


def link(flow: str, shop_id: str, bc_id: str, *, lead: bool, as_json: bool) -> None:
    """Links two records, or lets the first share what another one is linked with."""
    _do(flow, lambda hand: sharing.link(hand, shop_id, bc_id, lead=lead), as_json=as_json)


def unlink(flow: str, shop_id: str, bc_id: str | None, *, never: bool, recreate: bool, as_json: bool) -> None:
    """Undoes a link, or keeps two records apart.

    Raises:
        UsageError: the options do not go together.
    """
    if never and recreate:
        raise UsageError("--never and --recreate do not go together; first the one, then the other")
    if never != (bc_id is not None):
        raise UsageError(
            "--never takes both records, and nothing else does: unlink --never FLOW SHOP_ID BC_ID"
        )
    if bc_id is not None:
        other = bc_id
        _do(flow, lambda hand: links.keep_apart(hand, shop_id, other), as_json=as_json)
    else:
        _do(flow, lambda hand: links.unlink(hand, shop_id, recreate=recreate), as_json=as_json)


def resolve(flow: str, text: str, prop: str | None, *, take: str, as_json: bool) -> None:
    """Decides open conflicts."""
    _do(flow, lambda hand: resolutions.resolve(hand, text, take=Side(take), prop=prop), as_json=as_json)


def retry(flow: str, text: str | None, *, as_json: bool) -> None:
    """Takes back what was given up on."""
    _do(flow, lambda hand: resolutions.retry(hand, text), as_json=as_json)


def _do(flow: str, decision: Callable[[Hand], Decision], *, as_json: bool) -> None:
    done = carry_out(Settings.load(), flow, decision, by=who())
    if as_json:
        tell(done.document())
    else:
        say(done.message)


def who() -> str:
    """Whose decision it is."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user need not have a name
        return "command line"
