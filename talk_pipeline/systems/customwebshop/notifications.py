"""The shop's webhooks: registered once, deliveries proven by their signature, understood as a hint."""

import hashlib
import hmac
import json
from collections.abc import Mapping

from pydantic import SecretStr

from talk_pipeline.flows.loading import Flows
from talk_pipeline.systems.customwebshop.description import Webhooks
from talk_pipeline.systems.errors import ConfigurationFault, UnavailableFault
from talk_pipeline.systems.http import Http, OutcomeUnknownError


async def subscribe(http: Http, webhooks: Webhooks, *, url: str, secret: SecretStr) -> int:
    """Registers the address unless it is; returns how many calls that took.

    Raises:
        ConfigurationFault: the shop refuses.
        UnavailableFault: it does not answer.
    """
    answer = await http.read(webhooks.path)
    if not answer.ok:
        raise UnavailableFault(f"the shop lists no webhooks: {answer.status}")
    if any(row.get("url") == url for row in json.loads(answer.body)[webhooks.records]):
        return 0
    body = {"url": url, "events": list(webhooks.events), "secret": secret.get_secret_value()}
    try:
        answer = await http.write(
            "POST",
            webhooks.path,
            content=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
    except OutcomeUnknownError as error:
        raise UnavailableFault(f"the shop did not answer a webhook: {error}") from error
    if not answer.ok:
        text = answer.body[:300].decode(errors="replace")
        raise ConfigurationFault(f"the shop refuses the webhook {url} ({answer.status}): {text}")
    return 1


def understand(
    headers: Mapping[str, str], body: bytes, flows: Flows, *, webhooks: Webhooks, secret: SecretStr
) -> set[str] | None:
    """The flows a delivery tells about; None when its signature is not ours."""
    expected = hmac.new(secret.get_secret_value().encode(), body, hashlib.sha256).hexdigest()
    signature = headers.get(webhooks.signature_header, "")
    if not hmac.compare_digest(signature, webhooks.signature_prefix + expected):
        return None
    try:
        event = str(json.loads(body)[webhooks.event])
    except (ValueError, KeyError, TypeError):
        return None
    entity = webhooks.events.get(event)
    return {name for name, flow in flows.items() if flow.customwebshop.entity == entity}
