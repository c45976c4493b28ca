"""Writing to Business Central: requests as JSON `$batch`, outcomes matched part by part.

What an answer means is decided by its status and `error.code` (page `dynamics-error-codes`), never by its text,
which is only shown to people. One without such a code is not Business Central's: whoever answered in between does
not know what became of the write, unless the status itself says that it was not begun. A batch is one operation
after another, each answered by itself (page `use-odata-batch`).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from talk_pipeline.engine.model import Outcome, Record, Result, Write
from talk_pipeline.redaction import redacted_body
from talk_pipeline.systems.businesscentral.description import Lines
from talk_pipeline.systems.businesscentral.pacing import Pace
from talk_pipeline.systems.businesscentral.rows import ETAG, Asked
from talk_pipeline.systems.businesscentral.values import UnwritableError, dump, moment, parse
from talk_pipeline.systems.errors import SystemFault
from talk_pipeline.systems.http import TOO_LARGE, Answer, Http, OutcomeUnknownError
from talk_pipeline.systems.protocol import Leaving

BATCH_SIZE = 100  # operations (page `operational-limits-online`); one more is an error of the whole batch
ENTITY_CHANGED = "Request_EntityChanged"  # a version that is outdated: 409, not 412
UNAUTHORIZED = 401
NOT_BEGUN = (421, 423, 425, 429)
"""Turned away for the moment, whoever says so: another connection, a lock, too early, too many."""
TOO_MUCH = 413
"""Whoever finds it too large did not begin it."""

ABOUT_ANOTHER = (
    "Application_DialogException",
    "Application_FieldValidationException",
    "Internal_DataNotFoundFilter",
    "Internal_EntityWithSameKeyExists",
    "Internal_InvalidTableRelation",
    "Internal_RecordNotFound",
)
"""Refusals whose cause may lie with another record: one that is not there yet or not for sale, a taken key."""

_JSON = {"Content-Type": "application/json", "Accept": "application/json"}


class _Part(msgspec.Struct):
    status: int
    id: str | None = None
    body: msgspec.Raw = msgspec.Raw(b"null")


class _Batch(msgspec.Struct):
    responses: list[_Part]


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    url: str
    headers: Mapping[str, str]
    body: Mapping[str, object] | None


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes records of one flow.

    Attributes:
        company: path of the company.
        asked: what is selected and expanded in the answers.
        pace: learns how long answers take.
        leaving: told which writes are about to leave.
    """

    http: Http
    company: str
    asked: Asked
    pace: Pace
    leaving: Leaving

    async def write(self, writes: Sequence[Write]) -> list[Outcome]:
        """One outcome for each write, in their order.

        Args:
            writes: independent of each other; one with a value that cannot be said is refused, and the others go.
        """
        told = [self._told(write) for write in writes]
        sent = iter(await self._sent([one for one in told if not isinstance(one, Outcome)]))
        return [one if isinstance(one, Outcome) else next(sent) for one in told]

    def _told(self, write: Write) -> tuple[Write, _Request] | Outcome:
        try:
            return write, self._request(write)
        except UnwritableError as error:
            return Outcome(Result.REFUSED, reason=str(error))

    async def _sent(self, asked: Sequence[tuple[Write, _Request]], *, again: bool = True) -> list[Outcome]:
        """One outcome for each.

        Args:
            asked: what is to be written, and how that is asked.
            again: whether those of a batch that were turned away at the door are sent once more.
        """
        if not asked:
            return []
        writes, requests = zip(*asked, strict=True)
        keys = [write.idempotency_key for write in writes]
        try:
            if len(requests) == 1:
                answer, parts = await self._single(requests[0], keys=keys)
            else:
                answer, parts = await self._batch(requests, keys=keys)
        except OutcomeUnknownError as error:
            self.pace.not_answered()
            return [Outcome(Result.UNKNOWN, reason=str(error)) for _ in writes]
        if answer.status in TOO_LARGE:
            self.pace.not_answered()
        else:
            self.pace.answered(sum(write.rows for write in writes), seconds=answer.seconds)
        if isinstance(parts, Outcome):
            if parts.result is not Result.REFUSED:
                return [parts for _ in writes]
            # something in it, or its size: the others must not suffer for that
            half = len(asked) // 2
            return [*await self._sent(asked[:half]), *await self._others(asked[half:])]
        outcomes = {at: self._outcome(write, parts.get(str(at))) for at, write in enumerate(writes)}
        at_the_door = [at for at in outcomes if (part := parts.get(str(at))) and part.status == UNAUTHORIZED]
        if again and at_the_door:
            answers = await self._others([asked[at] for at in at_the_door], again=False)
            outcomes.update(zip(at_the_door, answers, strict=True))
        return list(outcomes.values())

    async def _others(self, asked: Sequence[tuple[Write, _Request]], *, again: bool = True) -> list[Outcome]:
        """What is sent after others of its batch were answered: what stops it says nothing of these."""
        try:
            return await self._sent(asked, again=again)
        except SystemFault as fault:
            return [Outcome(Result.FAILED, reason=str(fault)) for _ in asked]

    async def _single(
        self, request: _Request, *, keys: Sequence[str]
    ) -> tuple[Answer, dict[str, _Part] | Outcome]:
        content = b"" if request.body is None else dump(request.body)
        answer = await self.http.write(
            request.method,
            f"{self.asked.set.root}/{request.url}",
            content=content,
            headers={**_JSON, **request.headers},
            leaving=lambda: self.leaving(keys),
        )
        return answer, {"0": _Part(answer.status, "0", msgspec.Raw(answer.body or b"null"))}

    async def _batch(
        self, requests: Sequence[_Request], *, keys: Sequence[str]
    ) -> tuple[Answer, dict[str, _Part] | Outcome]:
        parts = [
            {
                "id": str(at),
                "method": request.method,
                "url": request.url,
                "headers": {"Content-Type": "application/json", **request.headers},
            }
            | ({} if request.body is None else {"body": request.body})
            for at, request in enumerate(requests)
        ]
        answer = await self.http.write(
            "POST",
            f"{self.asked.set.root}/$batch",
            content=dump({"requests": parts}),
            headers={**_JSON, "Prefer": "odata.continue-on-error"},
            weight=len(parts),
            leaving=lambda: self.leaving(keys),
        )
        if not answer.ok:
            return answer, _whole_batch(answer)
        try:
            batch = msgspec.json.decode(answer.body, type=_Batch)
        except msgspec.DecodeError as error:
            return answer, Outcome(Result.UNKNOWN, reason=f"a broken answer to the batch: {error}")
        return answer, {part.id: part for part in batch.responses if part.id is not None}

    def _request(self, write: Write) -> _Request:
        company, record = self.company.lstrip("/"), self.asked.set
        described = record.children[write.child] if write.child else record
        name = described.set or write.child or record.name
        within = record.name
        if write.child and write.parent_id is not None:
            within += f"{record.keyed(write.parent_id)}/{write.child}"
        below = isinstance(described, Lines) and described.nested
        place = f"{company}/{within if below else name}{described.keyed(write.id) if write.id else ''}"
        headers = {} if write.version is None else {"If-Match": write.version}
        if write.operation == "delete":
            return _Request("DELETE", place, headers, None)
        body = described.encode(write.values)
        for path, children in write.children.items():
            body[path] = [record.children[path].encode(child.values) for child in children]
        query = self.asked.question_of_child[write.child] if write.child else self.asked.question
        if write.operation == "update":
            return _Request("PATCH", f"{place}?{query}", headers, body)
        return _Request("POST", f"{company}/{within}?{query}", headers, body)

    def _outcome(self, write: Write, part: _Part | None) -> Outcome:
        if part is None:
            return Outcome(Result.FAILED, reason="the batch ended before this part was reached")
        if 200 <= part.status < 300:
            return self._done(write, part)
        code, text = _error(redacted_body(bytes(part.body), is_error=True))
        reason = f"{code or part.status}: {text}"
        if part.status in (UNAUTHORIZED, 403, *NOT_BEGUN):
            return Outcome(Result.FAILED, reason=reason)
        if part.status == TOO_MUCH:
            return Outcome(Result.REFUSED, reason=reason)
        conflict = part.status == 412 or (part.status == 409 and code in (ENTITY_CHANGED, ""))
        if conflict and (code or write.version):
            return Outcome(Result.STALE, reason=reason)
        if not code or part.status == 408 or part.status >= 500:
            return Outcome(Result.UNKNOWN, reason=reason, ended=_ended(part.status, code))
        if part.status == 404:
            gone = Result.DONE if write.operation == "delete" else Result.GONE
            return Outcome(Result.REFUSED if write.operation == "create" else gone, reason=reason)
        about_another = part.status == 409 or code in ABOUT_ANOTHER
        return Outcome(Result.REFUSED, reason=reason, about_another=about_another)

    def _done(self, write: Write, part: _Part) -> Outcome:
        body = bytes(part.body)
        if write.operation == "delete":
            if part.status != 202 and body in (b"", b"null"):
                return Outcome(Result.DONE)
            return Outcome(Result.UNKNOWN, reason=f"a deletion answered {part.status} with {body[:200]!r}")
        try:
            row = parse(body)
            if isinstance(row.get("error"), dict):
                return Outcome(Result.UNKNOWN, reason="an answer that broke off")
            if write.child:
                return self._child_done(write.child, row)
            described = self.asked.set
            modified = moment(row.get(described.modified))
            key = described.id_of(row)
            record = Record(key, row.get(ETAG), modified, deleted=False, payload=body.decode())
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            return Outcome(Result.UNKNOWN, reason=f"an answer that is no record: {error}")
        return Outcome(Result.DONE, record=record)

    def _child_done(self, path: str, row: Mapping[str, Any]) -> Outcome:
        if lacking := self.asked.lacking(path, row):
            return Outcome(Result.UNKNOWN, reason=f"an answer without {', '.join(lacking)}")
        child = self.asked.child(path, row)
        return Outcome(Result.DONE, child=child)


def _whole_batch(answer: Answer) -> Outcome:
    """The batch itself failed: nothing is known of its parts, unless it was turned away at the door.

    What is said of a conflict is about records: whoever says it had begun.
    """
    code, text = _error(answer.body)
    reason = f"the batch was answered {answer.status} {code}: {text}"
    if answer.status in NOT_BEGUN:
        return Outcome(Result.FAILED, reason=reason)
    if answer.status == TOO_MUCH:
        return Outcome(Result.REFUSED, reason=reason)
    if not code or answer.status in (408, 409, 412) or answer.status >= 500:
        return Outcome(Result.UNKNOWN, reason=reason, ended=_ended(answer.status, code))
    return Outcome(Result.REFUSED, reason=reason)  # of the batch as such: it is sent again in parts


def _ended(status: int, code: str) -> bool:
    """Whether Business Central itself says that a request is over, be it done or not.

    It does when it cancelled the session after its eight minutes (408), failed (500), or let the request wait for
    so long that it was never begun (503; page `operational-limits-online`); its own words are known by their code.
    A gateway that lost patience (504) or the line (502), or says anything without a code, knows nothing of what
    goes on behind it.
    """
    return bool(code) and status not in (502, 504)


def _error(body: bytes) -> tuple[str, str]:
    """Code and text of an error; gateways answer with something else, which is shown as it is."""
    try:
        error: Any = json.loads(body)["error"]
        text = str(error["message"]).split("  CorrelationId:")[0]
        return str(error["code"] or ""), text
    except (ValueError, KeyError, TypeError):
        return "", body[:200].decode(errors="replace").strip()
