"""Webhooks of a shop: registered once, and looked for where the description says."""

import asyncio
from functools import partial
from typing import Any

import pytest
from pydantic import SecretStr

from talk_pipeline.systems.customwebshop.wire.fitting import load_description
from talk_pipeline.systems.customwebshop.wire.notifications import subscribe
from talk_pipeline.systems.errors import ConfigurationFault
from talk_pipeline.systems.http import Answer, Http
from talk_pipeline_tests.flow_files import flows_in

SECRET = "a long random text"

WRONG_PLACES = [
    ({"records": "webhooks"}, "webhooks.records: .* shows no list at 'webhooks'"),
    ({"records": None}, "webhooks.records: .* shows no list, but"),
    ({"url": "address"}, "webhooks.url: no webhook has its address at 'address'"),
]


@pytest.mark.parametrize(("wrong", "message"), WRONG_PLACES)
def test_who_looks_for_webhooks_in_the_wrong_place_registers_none(
    wrong: dict[str, str | None], message: str
) -> None:
    """Or it would be registered once more each time the registration is renewed."""
    posted: list[bytes] = []

    class Shop(Http):
        def __init__(self) -> None:
            """Answers itself."""

        async def read(self, path: str, *_: Any, **__: Any) -> Answer:
            assert path == "/webhooks"
            return Answer(200, {}, b'{"data": [{"url": "https://here.example/customwebshop", "id": 1}]}')

        async def write(self, *_: Any, content: bytes, **__: Any) -> Answer:
            posted.append(content)
            return Answer(201, {}, b"{}")

    told = load_description(None, flows=flows_in()).webhooks
    assert told is not None
    here = "https://here.example/customwebshop"
    ask = partial(subscribe, Shop(), url=here, secret=SecretStr(SECRET))
    assert asyncio.run(ask(webhooks=told)) == 0
    with pytest.raises(ConfigurationFault, match=message):
        asyncio.run(ask(webhooks=told.model_copy(update=wrong)))
    assert not posted
