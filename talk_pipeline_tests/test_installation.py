"""What an installation is made of: the files that a person edits."""

import os
from pathlib import Path

import pytest

from talk_pipeline.declarations import checked_files
from talk_pipeline.flows.loading import FlowError
from talk_pipeline.settings import Settings
from talk_pipeline_tests.flow_files import edited_flows


def test_files_are_read_again_once_edited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = edited_flows(tmp_path, monkeypatch)
    flows, description = checked_files(Settings.load())
    again, same = checked_files(Settings.load())
    assert again is flows
    assert same is description
    file = folder / "customer.yaml"
    text = file.read_text(encoding="utf-8")
    seen = file.stat()
    file.write_text(text.replace("flow: customer", "flow: customex"), encoding="utf-8")  # of the same size
    os.utime(file, ns=(seen.st_atime_ns, seen.st_mtime_ns + 1))
    with pytest.raises(FlowError, match="customex|customer"):
        checked_files(Settings.load())
    file.unlink()
    with pytest.raises(FlowError):
        checked_files(Settings.load())
