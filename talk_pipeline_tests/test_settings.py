"""Settings: what makes no sense is named by its variable, with what was found."""

import os
from pathlib import Path

import pytest

from talk_pipeline.addresses import is_address
from talk_pipeline.settings import Settings, SettingsError

WRONG = [
    ("BUSINESSCENTRAL_TIME_ZONE=Europe", "BUSINESSCENTRAL_TIME_ZONE: no such time zone.*'Europe'"),
    ("BUSINESSCENTRAL_TIME_ZONE=../..", "BUSINESSCENTRAL_TIME_ZONE: no such time zone"),
    ("BUSINESSCENTRAL_REQUESTS=0", "BUSINESSCENTRAL_REQUESTS: .*greater than or equal to 1 .found '0'"),
    ("TALK_POLL_SECONDS=often", "TALK_POLL_SECONDS: .*valid number.*'often'"),
    ("TALK_THREADS=0", "TALK_THREADS: .*greater than or equal to 1"),
    ("TALK_MEMORY=much", "TALK_MEMORY: "),
    ("TALK_WAIT_SECONDS=-1", "TALK_WAIT_SECONDS: .*greater than or equal to 0"),
    ("BUSINESSCENTRAL_CURRENCY=XYZ", "BUSINESSCENTRAL_CURRENCY: 'XYZ' is not an ISO 4217 currency code"),
    ("CUSTOMWEBSHOP_URL=\udcff", r"\.env is no text in UTF-8 \(byte 19\)"),
]


NO_ADDRESSES = [
    "https://",
    "http:///api",
    "shop.example",
    "ftp://shop.example",
    "http://a b",
    "http://127.0.0.1:abc",
    "http://127.0.0.1:99999",
    "http://127.0.0.1:0",
    "http://[::1/api",
    "http://a..b",
    f"https://{'a' * 64}.example",
    "https://shop\u200b.example",
    "https://shop.example/#/api",
]


@pytest.mark.parametrize("text", NO_ADDRESSES)
def test_what_is_no_address(text: str) -> None:
    assert not is_address(text)
    assert is_address("http://127.0.0.1:80")
    assert is_address("https://shop.example/a?b")
    assert is_address("https://bücher.example:8443")
    assert is_address("http://[::1]:8080/api")


@pytest.mark.parametrize(("line", "message"), WRONG)
def test_a_setting_that_makes_no_sense_is_named(
    line: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    (tmp_path / ".env").write_bytes(line.encode(errors="surrogateescape"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError, match=message) as caught:
        Settings.load()
    assert "Value error" not in str(caught.value)


def test_settings_are_read_once_until_something_is_said_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = registered(tmp_path, monkeypatch, "BUSINESSCENTRAL_REQUESTS=3")
    assert Settings.load() is first
    (tmp_path / ".env").write_text("BUSINESSCENTRAL_REQUESTS=4")
    assert Settings.load().businesscentral_requests == 4
    monkeypatch.setenv("BUSINESSCENTRAL_REQUESTS", "5")
    assert Settings.load().businesscentral_requests == 5
    monkeypatch.setenv("BUSINESSCENTRAL_REQUESTS", "none")
    for _ in range(2):
        with pytest.raises(SettingsError, match="'none'"):
            Settings.load()
    monkeypatch.delenv("BUSINESSCENTRAL_REQUESTS")
    (tmp_path / ".env").unlink()
    assert Settings.load().businesscentral_requests == 6000


ONE = ("BUSINESSCENTRAL_CLIENT_ID=one", "BUSINESSCENTRAL_CLIENT_SECRET=first-secret")


def registered(folder: Path, monkeypatch: pytest.MonkeyPatch, *lines: str) -> Settings:
    """Settings of a file alone."""
    for name in list(os.environ):
        if name.startswith("BUSINESSCENTRAL_"):
            monkeypatch.delenv(name)
    (folder / ".env").write_text("\n".join(lines))
    monkeypatch.chdir(folder)
    return Settings.load()


def test_further_applications_follow_by_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    further = [f"BUSINESSCENTRAL_CLIENT_{what}_{n}={what}-{n}" for n in (10, 2) for what in ("ID", "SECRET")]
    settings = registered(tmp_path, monkeypatch, *ONE, *further, "BUSINESSCENTRAL_CLIENT_ID_3=")
    found = settings.registrations()
    assert [one.client_id for one in found] == ["one", "ID-2", "ID-10"]
    assert [one.secret.get_secret_value() for one in found] == ["first-secret", "SECRET-2", "SECRET-10"]
    assert found[2].variables == ("BUSINESSCENTRAL_CLIENT_ID_10", "BUSINESSCENTRAL_CLIENT_SECRET_10")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (ONE[:1], "not set: BUSINESSCENTRAL_CLIENT_SECRET,"),
        ((*ONE, "BUSINESSCENTRAL_CLIENT_ID_2=two"), "not set: BUSINESSCENTRAL_CLIENT_SECRET_2,"),
        ((*ONE, "BUSINESSCENTRAL_CLIENT_ID_1=two"), "CLIENT_ID_1: the first application has no number"),
        ((*ONE, "BUSINESSCENTRAL_CLIENT_SECRET_2=two"), "not set: BUSINESSCENTRAL_CLIENT_ID_2,"),
        (
            (*ONE, "BUSINESSCENTRAL_CLIENT_ID_2=ONE", "BUSINESSCENTRAL_CLIENT_SECRET_2=second-secret"),
            "CLIENT_ID and BUSINESSCENTRAL_CLIENT_ID_2 name the same application",
        ),
    ],
)
def test_an_application_needs_both_and_counts_once(
    lines: tuple[str, ...], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = registered(tmp_path, monkeypatch, *lines)
    with pytest.raises(SettingsError, match=message) as caught:
        settings.registrations()
    assert "secret" not in str(caught.value)
