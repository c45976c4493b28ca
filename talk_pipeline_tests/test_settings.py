"""Settings: what makes no sense is named by its variable, with what was found."""

from pathlib import Path

import pytest

from talk_pipeline.settings import Settings, SettingsError, is_address

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


@pytest.mark.parametrize(
    "text", ["https://", "http:///api", "shop.example", "ftp://shop.example", "http://a b"]
)
def test_what_is_no_address(text: str) -> None:
    assert not is_address(text)
    assert is_address("http://127.0.0.1:80")
    assert is_address("https://shop.example/a?b")


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
