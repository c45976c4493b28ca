"""Which sets of all APIs may be subscribed to: ``companies({id})/webhookSupportedResources`` of the runtime API."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

from talk_pipeline.sandbox import wire
from talk_pipeline.sandbox.businesscentral import errors
from talk_pipeline.sandbox.businesscentral.service import Central
from talk_pipeline.sandbox.exchange import Answer, Call

RUNTIME = "microsoft/runtime/beta"
_PATH = re.compile(r"/companies\(([0-9a-fA-F-]{36})\)/webhookSupportedResources/?")
_FILTER = re.compile(r"resource eq '([^'*]*)(\*?)'")


def notifiable(central: Central, call: Call, path: str, root: str) -> Answer:
    """The list, all of it or what a filter on the beginning of the resource leaves."""
    try:
        match = _PATH.fullmatch(path)
        if match is None or match.group(1).lower() not in central.directory.offices:
            raise errors.no_segment(path)
        if call.method != "GET":
            raise errors.not_allowed(call.method, "webhookSupportedResources")
        wanted = _FILTER.fullmatch(dict(parse_qsl(call.query)).get("$filter", "resource eq '*'"))
        if wanted is None:
            raise errors.bad_query("The filter is not supported.")
        begin, more = wanted.groups()
        named = [f"{one.api}/{one.name}" for one in central.schema.sets.values() if one.webhook]
        rows = [{"resource": one} for one in named if one == begin or (more and one.startswith(begin))]
    except errors.ApiError as error:
        return error.answer()
    document = {"@odata.context": f"{root}/$metadata#webhookSupportedResources", "value": rows}
    return Answer(200, wire.write(document), {"Content-Type": errors.CONTENT_TYPE, "OData-Version": "4.0"})
