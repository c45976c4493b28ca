"""How slow both systems may be, by the settings a user has for it."""

import os
import re
from pathlib import Path

import pytest

from talk_pipeline.systems.customwebshop.spec.description import REFERENCE
from talk_pipeline.systems.http import client


def longest(patch: pytest.MonkeyPatch, folder: Path, *, seconds: float) -> None:
    """How long a request without an answer may be at work, in both systems."""
    patch.setenv("BUSINESSCENTRAL_LONGEST_SECONDS", str(seconds))
    described = Path(os.environ.get("CUSTOMWEBSHOP_CONNECTOR") or REFERENCE)
    said = f"limits: {{longest_seconds: {seconds}"
    text = re.sub(r"longest_seconds: [^,}]+(, )?", "", described.read_text(encoding="utf-8"))
    if "\nlimits: {" in text:
        text = text.replace("\nlimits: {", f"\n{said}, ")
    else:
        text += f"\n{said}}}\n"
    file = folder / "connector.yaml"
    file.write_text(text, encoding="utf-8")
    patch.setenv("CUSTOMWEBSHOP_CONNECTOR", str(file))


def patience(patch: pytest.MonkeyPatch, *, seconds: float) -> None:
    """How long we wait for an answer."""
    for name in ("READ_SECONDS", "WRITE_SECONDS"):
        patch.setattr(client, name, seconds)
