"""The switchboard: rules that make chosen calls go wrong on purpose.

A rule names the calls it means and what happens to them. Rules are tried in the order they were set; the
first that fires decides. What carries a fault out (closing the connection, waiting, answering) is in
`gateway`; the JSON of a rule is described in `control`.
"""

from __future__ import annotations

import asyncio
import fnmatch
import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import unquote

from talk_pipeline.sandbox import wire

Moment = Literal["before", "after"]

_OTHER_NAMES = {"truncated": "truncate", "truncated_body": "truncate", "token_expired": "expired_token"}


class BadRule(ValueError):
    """A rule that cannot be understood; the text says why."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with one call.

    Attributes:
        status: answer with this status instead of the real one.
        when: whether the real work is done first; for `status` and `drop`.
        body: body of that answer; the service's own error envelope if not given.
        content_type: content type of the answer, of the real one too.
        headers: further headers of the answer, such as a ``Location``.
        echo: ``{authorization}`` and the like in the body are what the request said, as a careless server shows it.
        retry_after: value of a ``Retry-After`` header on the answer.
        delay: seconds to wait before anything else.
        hold: wait until the rules are cleared, and then go on as if nothing had been.
        drop: close the connection without an answer.
        truncate: send half of the body, then close the connection.
        drip: seconds over which the body trickles out.
        stale_page: answer a read with the page before ("previous") or this address's last one ("same").
        expired_token: refuse the token of this call, and of all calls that use it from now on.
    """

    status: int | None = None
    when: Moment = "before"
    body: bytes | None = None
    content_type: str | None = None
    headers: Mapping[str, str] | None = None
    echo: bool = False
    retry_after: str | None = None
    delay: float = 0.0
    hold: bool = False
    drop: Moment | None = None
    truncate: bool = False
    drip: float = 0.0
    stale_page: Literal["previous", "same"] | None = None
    expired_token: bool = False


@dataclass(slots=True)
class Rule:
    """Which calls a fault hits, and how often it still does.

    Attributes:
        method: only calls of this method.
        path: only calls whose path holds this text, matches this glob or this regular expression.
        nth: the first hit is the nth matching call.
        times: how many matching calls are hit from there on; None for all of them.
        share: how many of them in the mean, from 0 to 1, as chance has it.
    """

    fault: Fault
    method: str | None = None
    path: str | None = None
    nth: int = 1
    times: int | None = 1
    share: float = 1.0
    seen: int = field(default=0)
    fired: int = field(default=0)

    def ready(self, method: str, *paths: str, chance: float) -> bool:
        """Count the call if it matches by one of the forms of its path, and say whether the rule may hit it.

        Args:
            method: of the call.
            paths: the forms of its path.
            chance: from 0 to 1, another one for each rule and call.
        """
        if self.method is not None and method != self.method:
            return False
        if self.path is not None and not any(_meets(self.path, path) for path in paths):
            return False
        self.seen += 1
        left = self.times is None or self.fired < self.times
        return self.seen >= self.nth and left and chance < self.share


class Switchboard:
    """The rules in force on one server.

    Args:
        template: gives a path with its keys taken out, the other form a rule may name a path in.
    """

    def __init__(self, template: Callable[[str], str]) -> None:
        self._rules: list[Rule] = []
        self._template = template
        self._cleared = asyncio.Event()
        self._chance = random.Random(1)  # noqa: S311 (the same course each time, as far as the calls are)

    def add(self, rules: list[Rule]) -> None:
        """Put further rules behind those in force."""
        self._rules.extend(rules)

    def clear(self) -> None:
        """Back to normal; whatever was held goes on."""
        self._rules.clear()
        self._cleared.set()
        self._cleared = asyncio.Event()

    async def hold(self) -> None:
        """Wait until the rules are cleared."""
        await self._cleared.wait()

    def pick(self, method: str, path: str) -> Fault | None:
        """The fault that hits this call, if any; every matching rule counts the call, the first hits it."""
        forms = (unquote(path), self._template(path)) if self._rules else ()
        chance = self._chance.random
        ready = [rule for rule in self._rules if rule.ready(method, *forms, chance=chance())]
        if not ready:
            return None
        ready[0].fired += 1
        return ready[0].fault

    def listing(self) -> list[dict[str, Any]]:
        """The rules in force, for people."""
        return [
            {
                "method": rule.method,
                "path": rule.path,
                "nth": rule.nth,
                "times": rule.times,
                "matched": rule.seen,
                "fired": rule.fired,
            }
            for rule in self._rules
        ]


def read_rules(document: Any) -> list[Rule]:
    """Rules from the JSON of the control API: a list, one rule, or a list under ``faults``."""
    if isinstance(document, Mapping) and "faults" in document:
        document = document["faults"]
    entries = document if isinstance(document, list) else [document]
    return [_read_rule(entry) for entry in entries]


def _read_rule(entry: Any) -> Rule:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("fault"), Mapping):
        raise BadRule("a rule is an object with `match`, `fault` and `times`")
    match = entry.get("match") or {}
    _known("match", match, {"method", "path", "nth"})
    _known("rule", entry, {"match", "fault", "times", "share"})
    times = entry.get("times", 1)
    if times is not None and (not isinstance(times, int) or times < 1):
        raise BadRule("`times` is a number from 1 on, or null for every matching call")
    nth = 1 if match.get("nth") is None else match["nth"]
    if not isinstance(nth, int) or nth < 1:
        raise BadRule("`nth` counts from 1")
    share = float(entry.get("share", 1))
    if not 0 < share <= 1:
        raise BadRule("`share` is above 0 and at most 1")
    method = match.get("method")
    return Rule(
        fault=_read_fault(entry["fault"]),
        method=method.upper() if method else None,
        path=match.get("path"),
        nth=nth,
        times=times,
        share=share,
    )


def _read_fault(entry: Mapping[str, Any]) -> Fault:
    names = set(Fault.__dataclass_fields__)
    entry = {_OTHER_NAMES.get(name, name): value for name, value in entry.items()}
    _known("fault", entry, names)
    values = {name: value for name, value in entry.items() if value is not None}
    for name in ("when", "drop"):
        if values.get(name, "before") not in ("before", "after"):
            raise BadRule(f"`{name}` is before or after the work is done")
    page = values.pop("stale_page", False)
    if page not in (True, False, "previous", "same"):
        raise BadRule("`stale_page` is true, previous or same")
    body = values.pop("body", None)
    if "retry_after" in values:
        values["retry_after"] = str(values["retry_after"])
    for name in ("delay", "drip"):
        if name in values:
            values[name] = float(values[name])
    fault = Fault(
        **values,
        stale_page="previous" if page is True else (page or None),
        body=_body(body),
    )
    if fault == Fault():
        raise BadRule(f"a fault needs one of {', '.join(sorted(names))}")
    return fault


def _body(body: Any) -> bytes | None:
    if body is None:
        return None
    if isinstance(body, str):
        return body.encode()
    return wire.write(body)


def _known(what: str, entry: Mapping[str, Any], names: set[str]) -> None:
    unknown = sorted(set(entry) - names)
    if unknown:
        raise BadRule(f"a {what} has no `{unknown[0]}`; it has {', '.join(sorted(names))}")


def _meets(pattern: str, path: str) -> bool:
    if pattern in path or fnmatch.fnmatchcase(path, pattern):
        return True
    try:
        return re.search(pattern, path) is not None
    except re.error:
        return False
