"""What a check is, what it looks at, and what it finds; the checks themselves are in `report.checklist`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from talk_pipeline.engine.report.agreement import Disagreement
from talk_pipeline.engine.state.connection import Connection
from talk_pipeline.flows.vocabulary import Flow
from talk_pipeline.wording import counted

Severity = Literal["ERROR", "WARN"]
Stage = Literal["customwebshop", "businesscentral", "diffs", "sync"]


@dataclass(frozen=True, slots=True)
class Finding:
    """The verdict of one check.

    Attributes:
        summary: what was found, in a sentence.
        found: how many rows fail.
        rows: the first of them; which columns is for each check to say, all rows of one have the same.
    """

    passed: bool
    severity: Severity
    summary: str
    found: int = 0
    rows: tuple[Mapping[str, Any], ...] = ()

    @property
    def verdict(self) -> Literal["passed", "warned", "failed"]:
        """The outcome in a word."""
        if self.passed:
            return "passed"
        return "failed" if self.severity == "ERROR" else "warned"


def in_words(number: int, what: str, of: str = "") -> str:
    """How much was found, such as `2 records without a reason`; `what` is one of them, `of` tells more."""
    return f"{counted(number, what)}{of}" if number else f"no{counted(0, what)[1:]}{of}"


@dataclass(frozen=True, slots=True)
class CheckContext:
    """What a check looks at: the state, as one run left it, and how far that run was allowed to go.

    Attributes:
        decided: a person said what follows from records that went back; other flows may still have to be read.
        disagreeing: pairs that do not agree, by part and property; filled by the first check that asks.
        linked: how many pairs there are, by part; likewise.
    """

    db: Connection
    flow: Flow
    run_id: str
    dry_run: bool = False
    approved: bool = False
    decided: bool = False
    disagreeing: dict[str, Mapping[str, Disagreement]] = field(default_factory=dict, repr=False)
    linked: dict[str, int] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the checklist.

    Attributes:
        stage: the asset it belongs to: a side's snapshot, the diff, or the sync.
        blocking: what follows does not run when it fails.
        sentence: what must hold, where the title is no sentence.
        lasts: what it finds hangs on records, links and the plan alone; it holds until any of them is written.
    """

    name: str
    title: str
    stage: Stage
    run: Callable[[CheckContext], Finding] = field(repr=False)
    blocking: bool = False
    sentence: str = ""
    lasts: bool = False

    @property
    def description(self) -> str:
        """What must hold, in a sentence."""
        text = self.sentence or self.title
        return f"{text[:1].upper()}{text[1:]}."

    @property
    def key(self) -> str:
        """Its name within the flow."""
        return f"{self.stage}.{self.name}"
