"""Flow files of one's own: the packaged ones in another folder, edited as an integration engineer would."""

import shutil
from pathlib import Path

import pytest

from talk_pipeline.flows.loading import PACKAGED, Flows, load_flows
from talk_pipeline.systems.businesscentral.behaviour import behaving
from talk_pipeline.systems.businesscentral.entities import load_entities


def replaced(text: str, *edits: tuple[str, str]) -> str:
    """A text with other words in the place of some, each of which has to be there."""
    for old, new in edits:
        assert old in text, f"{old!r} is not there"
        text = text.replace(old, new)
    return text


def flows_in(folder: Path | None = None) -> Flows:
    """The flows of a folder, by default the packaged ones, with what the packaged descriptions say."""
    return behaving(load_flows(folder), load_entities())


def copied_flows(folder: Path, **edits: tuple[str, str]) -> Path:
    """The packaged flows in a folder, with one text replaced in each that is named."""
    folder.mkdir(exist_ok=True)
    for file in PACKAGED.glob("*.yaml"):
        text = file.read_text(encoding="utf-8")
        if file.stem in edits:
            text = replaced(text, edits[file.stem])
        (folder / file.name).write_text(text, encoding="utf-8")
    return folder


def flows_alone(folder: Path, *names: str) -> Path:
    """These of the packaged flows alone in a folder: a run of few flows takes a fraction of the time."""
    folder.mkdir(exist_ok=True)
    for name in names:
        shutil.copy(PACKAGED / f"{name}.yaml", folder)
    return folder


def edited_flows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **edits: tuple[str, str]) -> Path:
    """The same, and the pipeline reads them."""
    folder = copied_flows(tmp_path / "flows", **edits)
    monkeypatch.setenv("TALK_FLOWS_DIR", str(folder))
    return folder
