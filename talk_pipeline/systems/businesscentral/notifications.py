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

from talk_pipeline.flows.loading import Flows
from talk_pipeline.systems.businesscentral.entities import dump, moment
from talk_pipeline.systems.errors import ConfigurationFault, UnavailableFault
from talk_pipeline.systems.http import Http, OutcomeUnknownError

LIFETIME = timedelta(days=3)
RENEW_BEFORE = timedelta(days=1)

_JSON = {"Content-Type": "application/json", "Accept": "application/json"}


async def subscribe(http: Http, flows: Flows, *, company: str, url: str, secret: SecretStr) -> int:
    """Creates what is missing and renews what ends soon; returns how many calls that took.

    Raises:
        ConfigurationFault: Business Central refuses, such as when `url` does not answer its handshake.
        UnavailableFault: it does not answer.
    """
    answer = await http.read("/subscriptions")
    if not answer.ok:
        raise UnavailableFault(f"Business Central lists no subscriptions: {answer.status}")
    subscriptions = {_key(row): row for row in json.loads(answer.body)["value"]}
    calls = 0
    for flow in flows.values():
        resource = f"/api/v2.0{company}/{flow.businesscentral.entity}"
        body = {"notificationUrl": url, "resource": resource, "clientState": secret.get_secret_value()}
        known = subscriptions.get((url, _path(resource)))
        if known is None:
            await _send(http, "POST", "/subscriptions", body=body, headers={})
        elif _ends_soon(known):
            path = f"/subscriptions('{known['subscriptionId']}')"
            await _send(http, "PATCH", path, body=body, headers={"If-Match": known["@odata.etag"]})
        else:
            continue
        calls += 1
    return calls


def understand(body: bytes, flows: Flows, *, secret: SecretStr) -> set[str] | None:
    """The flows a delivery tells about; None when it is not from a subscription of ours.

    Single notices and collections name the resource alike: below a company, with a key or a filter after it.
    """
    try:
        notices = json.loads(body)["value"]
        states = [str(notice["clientState"]) for notice in notices]
        resources = [_path(str(notice["resource"])) for notice in notices]
    except (ValueError, KeyError, TypeError):
        return None
    expected = secret.get_secret_value()
    if not all(hmac.compare_digest(state, expected) for state in states):
        return None
    named = {resource.rsplit("/", 1)[-1] for resource in resources}
    return {name for name, flow in flows.items() if flow.businesscentral.entity in named}


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
    ends = moment(row.get("expirationDateTime"))
    return ends is None or ends - datetime.now(UTC) < RENEW_BEFORE


def _key(row: Mapping[str, Any]) -> tuple[str, str]:
    return str(row.get("notificationUrl")), _path(str(row.get("resource")))


def _path(resource: str) -> str:
    """A resource from `companies(...)` on, without key and filter, however it was written."""
    path = resource.split("?", 1)[0].strip("/")
    path = path[path.find("companies(") :] if "companies(" in path else path
    head, _, last = path.rpartition("/")
    return f"{head}/{last.split('(', 1)[0]}"
