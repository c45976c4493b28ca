"""Requests go out the way that the environment names."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from talk_pipeline.redaction import MASK, redacted
from talk_pipeline.systems.errors import ConfigurationFault
from talk_pipeline.systems.http import ClientCredentials
from talk_pipeline.systems.http.way import trusted
from talk_pipeline_tests.systems.answering import Answering, Reply
from talk_pipeline_tests.systems.http.asking import read
from talk_pipeline_tests.systems.http.conftest import Opens

ELSEWHERE = "http://erp.example/api"
TOKEN_URL = "http://login.example/token"  # noqa: S105 (an address)
GOOD = Reply(200, b"good")


@pytest.fixture(autouse=True)
def _none(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_a_proxy_carries_data_and_tokens(
    server: Answering, opens: Opens, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, server.url)
    server.on("/token", Reply(200, {"access_token": "given here", "expires_in": 3600}))
    server.on("/api/things", GOOD)
    credentials = ClientCredentials(TOKEN_URL, "us", SecretStr("word of ours"), None)
    assert read(opens(ELSEWHERE, credentials=credentials)).body == b"good"
    assert [one.target for one in server.asked] == [TOKEN_URL, f"{ELSEWHERE}/things"]
    assert server.asked[1].headers["authorization"] == "Bearer given here"


def test_neither_this_machine_nor_what_is_named_as_near_is_reached_by_it(
    server: Answering, stranger: Answering, opens: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", stranger.url)
    server.on("/things", GOOD)
    for host in ("127.0.0.1", "localhost"):
        assert read(opens(server.url.replace("127.0.0.1", host))).body == b"good"
    stranger.on("/api/things", GOOD)
    monkeypatch.setenv("NO_PROXY", "other.example")
    assert read(opens(ELSEWHERE)).body == b"good"
    assert [one.target for one in stranger.asked] == [f"{ELSEWHERE}/things"]


@pytest.mark.parametrize("proxy", ["gopher://proxy.example", "socks5://127.0.0.1:9"])
def test_one_that_cannot_be_used_is_named_with_the_way_out(
    opens: Opens, monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)
    with pytest.raises(ConfigurationFault, match=r"proxy .* for erp\.example cannot be used: .*NO_PROXY"):
        opens(ELSEWHERE)


@pytest.mark.parametrize("text", [None, "", "no certificate"])
def test_certificates_that_cannot_be_read_are_named(
    opens: Opens, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str | None
) -> None:
    file = tmp_path / "authority.pem"
    if text is not None:
        file.write_text(text)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    trusted.cache_clear()
    with pytest.raises(ConfigurationFault, match=r"certificates .* cannot be read: .*mend SSL_CERT_FILE"):
        opens(ELSEWHERE)


def test_its_password_is_in_no_text(server: Answering, opens: Opens, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", server.url.replace("//", "//us:opened-sesame@"))
    server.on("/api/things", GOOD)
    assert read(opens(ELSEWHERE)).body == b"good"
    assert server.asked[0].headers["proxy-authorization"].startswith("Basic ")
    assert redacted("it is opened-sesame") == f"it is {MASK}"
