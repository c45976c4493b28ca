"""JSON that is nested thousands deep: an answer that cannot be read, and never a mistake of ours."""

from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import SecretStr

from talk_pipeline.systems.errors import AccessFault, ConfigurationFault, SystemFault, UnavailableFault
from talk_pipeline.systems.http import ClientCredentials, Login, OutcomeUnknownError
from talk_pipeline_tests.systems.answering import Answering, Reply
from talk_pipeline_tests.systems.http.asking import read, write
from talk_pipeline_tests.systems.http.conftest import Opens

DEEP: Mapping[str, bytes] = {
    "lists": b"[" * 5_000 + b"]" * 5_000,
    "objects": b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    "as deep as Python reads": b"[" * 950 + b"]" * 950,
    "cut off": b"[" * 5_000,
    "behind what is none": b'{"a": NaN, "b": ' + b"[" * 5_000 + b"]" * 5_000 + b"}",
}


@pytest.mark.parametrize("body", DEEP.values(), ids=DEEP)
def test_what_is_nested_too_deep_is_named(server: Answering, opens: Opens, body: bytes) -> None:
    server.on("/things", Reply(200, body))
    with pytest.raises(UnavailableFault, match="/things with data nested too deep"):
        read(opens())
    with pytest.raises(OutcomeUnknownError, match="nested too deep"):
        write(opens())


@pytest.mark.parametrize("body", [b"[" * 100 + b"]" * 100, b'{"a": "[[[["}', b"[[[<", b"", b"[1, NaN]"])
def test_what_is_not_is_read(server: Answering, opens: Opens, body: bytes) -> None:
    server.on("/things", Reply(200, body))
    assert read(opens()).body == body


def test_an_error_that_is_nested_says_nothing_of_a_write(server: Answering, opens: Opens) -> None:
    server.on("/things", Reply(400, b"[" * 5_000))
    with pytest.raises(OutcomeUnknownError, match="nested too deep"):
        write(opens())


GIVERS: list[tuple[Any, type[SystemFault]]] = [
    (lambda at: ClientCredentials(f"{at}/token", "client", SecretStr("secret")), ConfigurationFault),
    (lambda at: Login(f"{at}/token", {}, lambda document: str(document)), AccessFault),
]


@pytest.mark.parametrize(("credentials", "fault"), GIVERS, ids=["token", "login"])
def test_nor_is_a_token_found_in_it(
    server: Answering, opens: Opens, credentials: Any, fault: type[SystemFault]
) -> None:
    server.on("/token", Reply(200, b"[" * 5_000))
    with pytest.raises(fault, match="/token"):
        read(opens(credentials=credentials(server.url)))
