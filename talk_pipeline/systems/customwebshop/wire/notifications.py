"""The shop's webhooks: registered once, deliveries proven by their signature, understood as a hint."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any

from pydantic import SecretStr

from talk_pipeline.flows.loading import Flows
from talk_pipeline.systems.customwebshop.spec import paths
from talk_pipeline.systems.customwebshop.spec.addresses import with_query
from talk_pipeline.systems.customwebshop.spec.places import read_place
from talk_pipeline.systems.customwebshop.spec.webhooks import Webhooks
from talk_pipeline.systems.errors import ConfigurationFault, UnavailableFault
from talk_pipeline.systems.http import Answer, Http, OutcomeUnknownError
from talk_pipeline.systems.protocol import Known

_EARLIER = " (it is registered there with the earlier secret: remove that registration in the shop)"


async def subscribe(
    http: Http, webhooks: Webhooks, *, url: str, secret: SecretStr, before: Known | None = None
) -> int:
    """Registers the address for every event it is not registered for; returns how many calls that took.

    One that is registered with another secret is registered once more: its notices prove nothing any longer. Those
    come last, since many a shop takes an address and an event once only; what it refuses keeps none from its turn.

    Raises:
        ConfigurationFault: the shop refuses one, or does not list its webhooks as described.
        UnavailableFault: it does not answer.
    """
    answer = await http.read(with_query(webhooks.path, webhooks.query))
    if not answer.ok:
        raise UnavailableFault(f"the shop lists no webhooks: {answer.status}")
    known = [row for row in _registrations(webhooks, answer) if paths.get(row, webhooks.url) == url]
    wanted = [
        (any(_same(webhooks, body, row) for row in known), event, body)
        for event, body in _bodies(webhooks, url, secret)
    ]
    calls, refused = 0, list[str]()
    for is_there, event, body in sorted(wanted, key=itemgetter(0)):
        if not is_there or (before is not None and before.is_of_another(event)):
            refusal = await _register(http, webhooks, body, what=f"{url} {event}".strip())
            if refusal is not None:
                refused.append(refusal + (_EARLIER if is_there else ""))
                continue
            calls += 1
        if before is not None:
            before.keep(event)
    if refused:
        raise ConfigurationFault("; ".join(refused))
    return calls


def _registrations(webhooks: Webhooks, answer: Answer) -> list[Any]:
    """What is registered; whoever looks in the wrong place registers again each time."""
    excerpt = answer.excerpt(200)
    try:
        data = json.loads(answer.body)
    except ValueError as error:
        raise ConfigurationFault(f"webhooks.path: {webhooks.path} shows no JSON: {excerpt}") from error
    rows = paths.get(data, webhooks.records) if webhooks.records else data
    if rows is None:
        return []
    if not isinstance(rows, list):
        place = f"no list at {webhooks.records!r}" if webhooks.records else "no list"
        raise ConfigurationFault(f"webhooks.records: {webhooks.path} shows {place}, but {excerpt}")
    if rows and all(paths.get(row, webhooks.url) is paths.MISSING for row in rows):
        raise ConfigurationFault(f"webhooks.url: no webhook has its address at {webhooks.url!r}: {excerpt}")
    return rows


def understand(
    headers: Mapping[str, str], body: bytes, flows: Flows, *, webhooks: Webhooks, secret: SecretStr
) -> set[str] | None:
    """The flows a delivery tells about; None when its signature is not ours."""
    shape = webhooks.signature
    digest = hmac.new(secret.get_secret_value().encode(), body, hashlib.sha256).digest()
    expected = digest.hex() if shape.encoding == "hex" else base64.b64encode(digest).decode()
    if not hmac.compare_digest(headers.get(shape.header, "").encode(), (shape.prefix + expected).encode()):
        return None
    try:
        event = read_place(webhooks.event, headers, json.loads(body))
    except (ValueError, RecursionError):
        return None
    entity = webhooks.events.get(event or "")
    return {name for name, flow in flows.items() if flow.customwebshop.entity == entity}


def _bodies(webhooks: Webhooks, url: str, secret: SecretStr) -> Iterator[tuple[str, dict[str, Any]]]:
    values = {"url": url, "secret": secret.get_secret_value(), "events": list(webhooks.events)}
    for event in webhooks.events if webhooks.one_each else [""]:
        words = {**values, "event": event}
        yield (
            event,
            {
                name: words[value[1:-1]] if isinstance(value, str) and value[1:-1] in words else value
                for name, value in webhooks.body.items()
            },
        )


def _same(webhooks: Webhooks, body: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    """Whether a registration is for the event, where it is for one, and for all events, where it is for several."""
    filled = webhooks.body.items()
    one = [name for name, value in filled if value == "{event}" and webhooks.one_each]
    several = [name for name, value in filled if value == "{events}"]
    return all(row.get(name) == body[name] for name in one) and not any(
        _lacking(body[name], row.get(name)) for name in several
    )


def _lacking(events: Sequence[str], shown: Any) -> set[str]:
    """The events that a registration is not for; none where it shows them in other words, or not at all."""
    said = {one for one in shown if isinstance(one, str)} if isinstance(shown, list) else set()
    return set(events) - said if said.intersection(events) else set()


async def _register(http: Http, webhooks: Webhooks, body: Mapping[str, Any], *, what: str) -> str | None:
    """Registers one; returns how the shop refuses it, if it does."""
    content, headers = paths.encoded(dict(body)), {"Content-Type": "application/json"}
    try:
        answer = await http.write("POST", webhooks.path, content=content, headers=headers)
    except OutcomeUnknownError as error:
        raise UnavailableFault(f"the shop did not answer a webhook: {error}") from error
    return (
        None if answer.ok else f"the shop refuses the webhook {what} ({answer.status}): {answer.excerpt(300)}"
    )
