"""Business Central's change notifications: subscriptions kept alive, notices understood.

A notice holds no data and may come late, twice or not at all: it only tells which flows are worth a look now. A
subscription lives three days, and is renewed with a body and the version it has (page `dynamics-subscriptions`).
"""

import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import SecretStr

from talk_pipeline.systems.businesscentral.description import EntitySet
from talk_pipeline.systems.businesscentral.lists import Lists
from talk_pipeline.systems.businesscentral.values import dump, moment, parse
from talk_pipeline.systems.errors import ConfigurationFault, SystemFault, UnavailableFault
from talk_pipeline.systems.http import Http, OutcomeUnknownError
from talk_pipeline.systems.protocol import Known

RENEW_BEFORE = timedelta(days=1)

_JSON = {"Content-Type": "application/json", "Accept": "application/json"}


async def subscribe(
    http: Http,
    lists: Lists,
    sets: Mapping[str, EntitySet],
    *,
    company: str,
    url: str,
    secret: SecretStr,
    before: Known | None = None,
) -> int:
    """Creates what is missing, renews what ends soon or has another secret; returns how many calls that took.

    Each API has subscriptions of its own (page `dynamics_subscriptions`).

    Raises:
        ConfigurationFault: Business Central refuses, such as when `url` does not answer its handshake.
        UnavailableFault: it does not answer.
    """
    calls = 0
    for api in dict.fromkeys(described.api for described in sets.values()):
        there = {described.name: described for described in sets.values() if described.api == api}
        calls += await _subscribe(http, lists, there, company=company, url=url, secret=secret, before=before)
    return calls


async def _subscribe(
    http: Http,
    lists: Lists,
    sets: Mapping[str, EntitySet],
    *,
    company: str,
    url: str,
    secret: SecretStr,
    before: Known | None,
) -> int:
    """The same for sets of one API, which has subscriptions of its own (page `dynamics_subscriptions`)."""
    first, calls = next(iter(sets.values())), 0
    path = f"{first.root}/subscriptions"
    try:
        rows = [dict(parse(bytes(raw))) async for found in lists.pages(path) for raw in found]
    except (SystemFault, ValueError, TypeError) as error:
        raise UnavailableFault(f"Business Central lists no subscriptions at {path}: {error}") from error
    listed = {_key(row): row for row in rows if _api(row) in ("", first.api)}
    for name in sets:
        resource = f"/api/{first.api}{company}/{name}"
        body = {"notificationUrl": url, "resource": resource, "clientState": secret.get_secret_value()}
        known = listed.get((url, _place(resource)[1]))
        if known is None:
            await _send(http, "POST", path, body=body, headers={})
            calls += 1
        elif _ends_soon(known) or (before is not None and before.is_of_another(resource)):
            one = f"{path}('{known.get('subscriptionId')}')"
            headers = {"If-Match": str(known.get("@odata.etag"))}
            await _send(http, "PATCH", one, body=body, headers=headers)
            calls += 1
        if before is not None:
            before.keep(resource)
    return calls


def understand(body: bytes, sets: Mapping[str, EntitySet], *, secret: SecretStr) -> set[str] | None:
    """The flows a delivery tells about; None when it is not from a subscription of ours.

    Single notices and collections name the resource alike: below a company, with a key or a filter after it.
    """
    try:
        notices = json.loads(body)["value"]
        states = [str(notice["clientState"]).encode(errors="replace") for notice in notices]
        resources = [_place(str(notice["resource"])) for notice in notices]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    expected = secret.get_secret_value().encode()
    if not all(hmac.compare_digest(state, expected) for state in states):
        return None
    named = {(api, path.rpartition("/")[2]) for api, path in resources}
    return {
        name
        for name, described in sets.items()
        if not named.isdisjoint({("", described.name), (described.api, described.name)})
    }


async def _send(
    http: Http, method: str, path: str, *, body: Mapping[str, str], headers: Mapping[str, str]
) -> None:
    try:
        answer = await http.write(method, path, content=dump(body), headers={**_JSON, **headers})
    except OutcomeUnknownError as error:
        raise UnavailableFault(f"Business Central did not answer a subscription: {error}") from error
    if answer.ok:
        return
    raise ConfigurationFault(
        f"Business Central refuses a subscription for {body['resource']} ({answer.status}): {answer.excerpt(300)}"
    )


def _ends_soon(row: Mapping[str, Any]) -> bool:
    try:
        ends = moment(row.get("expirationDateTime"))
    except ValueError:
        return True  # renewed, it is known again
    return ends is None or ends - datetime.now(UTC) < RENEW_BEFORE


def _key(row: Mapping[str, Any]) -> tuple[str, str]:
    return str(row.get("notificationUrl")), _place(str(row.get("resource")))[1]


def _api(row: Mapping[str, Any]) -> str:
    return _place(str(row.get("resource")))[0]


def _place(resource: str) -> tuple[str, str]:
    """The API, where one is told, and what follows it without key and filter, however it was written."""
    before, found, path = resource.split("?", 1)[0].strip("/").partition("companies(")
    head, _, last = f"{found}{path}".rpartition("/")
    return f"/{before}".rpartition("/api/")[2].strip("/"), f"{head}/{last.split('(', 1)[0]}"
