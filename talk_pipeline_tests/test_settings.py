"""Settings: what makes no sense is named by its variable, with what was found."""

from pathlib import Path

import pytest

from talk_pipeline.settings import Settings, SettingsError

WRONG = [
    ("BUSINESSCENTRAL_TIME_ZONE=Europe", "BUSINESSCENTRAL_TIME_ZONE: no such time zone.*'Europe'"),
    ("BUSINESSCENTRAL_TIME_ZONE=../..", "BUSINESSCENTRAL_TIME_ZONE: no such time zone"),
    ("BUSINESSCENTRAL_REQUESTS=0", "BUSINESSCENTRAL_REQUESTS: .*greater than or equal to 1 .found '0'"),
    ("TALK_POLL_SECONDS=often", "TALK_POLL_SECONDS: .*valid number.*'often'"),
    ("TALK_WAIT_SECONDS=-1", "TALK_WAIT_SECONDS: .*greater than or equal to 0"),
    ("CUSTOMWEBSHOP_URL=\udcff", r"\.env is no text in UTF-8 \(byte 19\)"),
]


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
