"""The fault grid: everything that can go wrong with a call, alone at all calls and mixed at some of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from talk_pipeline.engine.manual import resolutions
from talk_pipeline.installation import carry_out
from talk_pipeline.settings import Settings
from talk_pipeline_tests.proof.matrix import Row
from talk_pipeline_tests.users import Row as Rule

RUNS = 3
"""After so many runs at most, once all is well again, both systems are as people said."""


@dataclass(frozen=True)
class Trouble:
    """One thing that goes wrong.

    Attributes:
        fault: as the sandbox takes it.
        times: how many calls of a kind it meets; by default as long as it lasts.
        refuses: it says no for good, or yes and takes nothing: a person has to say that it may be tried again.
        lies: it says something of records that is not so, and two such words together are believed.
    """

    fault: Mapping[str, Any]
    times: int | None = None
    refuses: bool = False
    lies: bool = False


HTML = {"body": "<html>Sorry</html>", "content_type": "text/html"}
TROUBLES: Mapping[str, Trouble] = {
    "400": Trouble({"status": 400}, refuses=True),
    "401": Trouble({"status": 401}),
    "403": Trouble({"status": 403}),
    "404": Trouble({"status": 404}, refuses=True, lies=True),
    "408": Trouble({"status": 408}),
    "408 though done": Trouble({"status": 408, "when": "after"}),
    "409": Trouble({"status": 409}, refuses=True),
    "409 though done": Trouble({"status": 409, "when": "after"}, refuses=True),
    "412": Trouble({"status": 412}, refuses=True),
    "412 though done": Trouble({"status": 412, "when": "after"}, refuses=True),
    "413": Trouble({"status": 413}, refuses=True),
    "429": Trouble({"status": 429}),
    "429, wait a second": Trouble({"status": 429, "retry_after": 1}, times=1),
    "429, wait until then": Trouble({"status": 429, "retry_after": "Wed, 21 Oct 2015 07:28:00 GMT"}),
    "500": Trouble({"status": 500}),
    "500 though done": Trouble({"status": 500, "when": "after"}),
    "501": Trouble({"status": 501}),
    "502": Trouble({"status": 502}),
    "502 though done": Trouble({"status": 502, "when": "after"}),
    "502 of a gateway": Trouble({"status": 502, **HTML}),
    "503": Trouble({"status": 503}),
    "503 though done": Trouble({"status": 503, "when": "after"}),
    "503, wait a second": Trouble({"status": 503, "retry_after": 1}, times=1),
    "504": Trouble({"status": 504}),
    "504 though done": Trouble({"status": 504, "when": "after"}),
    "sent elsewhere": Trouble({"status": 307, "headers": {"Location": "http://elsewhere.example/"}}),
    "no answer, not done": Trouble({"drop": "before"}),
    "no answer, though done": Trouble({"drop": "after"}),
    "half an answer": Trouble({"truncate": True}),
    "an answer that trickles": Trouble({"drip": 0.05}),
    "a late answer": Trouble({"delay": 0.05}),
    "the page before": Trouble({"stale_page": "previous"}),
    "the same page as before": Trouble({"stale_page": "same"}),
    "an expired token": Trouble({"expired_token": True}),
    "a page of words": Trouble({"status": 200, **HTML}),
    "nothing at all": Trouble(
        {"status": 200, "body": "", "content_type": "application/json"}, refuses=True, lies=True
    ),
    "an empty list": Trouble(
        {"status": 200, "body": {"value": []}, "content_type": "application/json"}, refuses=True, lies=True
    ),
}
"""Those that hit all calls alike; what a wrong clock or a narrow limit does is told by tests of these."""
SHARES = (0.05, 0.2, 0.4)
WRITES = ("POST", "PATCH", "DELETE")


def alone(trouble: Trouble, *, writes: bool) -> list[Rule]:
    """It meets every call, or every one that writes; who is told that there is nothing to delete believes it."""
    methods = [one for one in WRITES if not (trouble.lies and one == "DELETE")] if writes else [""]
    return [_rule(method, trouble, share=1.0) for method in methods]


def mixed(share: float) -> list[Rule]:
    """Of all calls this share goes wrong, each in some way; and many others are answered late."""
    troubles = [trouble for trouble in TROUBLES.values() if not trouble.lies]
    ways = [_rule("", trouble, share=share / len(troubles)) for trouble in troubles]
    return [*ways, _rule("", Trouble({"delay": 0.01}), share=0.3)]


def _rule(method: str, trouble: Trouble, *, share: float) -> Rule:
    match = {"method": method} if method else {}
    return {"match": match, "fault": trouble.fault, "times": trouble.times, "share": share}


def meets(row: Row, rules: Iterable[Rule], *, runs: int) -> None:
    """Some runs while both systems have that trouble, which may stop them in any way that has a name."""
    listed = list(rules)
    for api in (row.world.shop, row.world.bc):
        api.faults(*listed)
    for _ in range(runs):
        row.world.pass_over(row.flow, full=row.full)
    for api in (row.world.shop, row.world.bc):
        api.no_faults()


def recovers(row: Row, *, by_hand: bool) -> None:
    """All is well again: both systems come to what people said, and then there is nothing to write.

    Args:
        row: what people said.
        by_hand: whether a person says that what was refused may be tried again.
    """
    world, wrong = row.world, ["no run"]
    for _ in range(RUNS):
        if by_hand:
            carry_out(Settings.load(), row.flow, lambda hand: resolutions.retry(hand, None), by="a person")
        assert world.pass_over(row.flow, full=row.full) == []
        wrong = row.wrong()
        if not wrong:
            break
    assert not wrong, wrong
    world.forget_requests()
    assert world.pass_over(row.flow, full=row.full) == []
    assert not any(world.writes().values()), f"{world.writes()} in a run with nothing to do"
