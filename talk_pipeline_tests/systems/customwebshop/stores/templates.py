"""The descriptions that `new-connector` writes, filled in for a shop of the tests."""

from collections.abc import Mapping
from pathlib import Path

PACKAGED = Path(__file__).parents[4] / "talk_pipeline/systems/customwebshop"


def filled_in(template: str, folder: Path, *, name: str, instead: Mapping[str, str]) -> Path:
    """A template with other words in the place of some, each of which has to be there."""
    text = (PACKAGED / template).read_text(encoding="utf-8")
    for old, new in {"{file}": "shop.yaml", "{name}": name, **instead}.items():
        assert old in text
        text = text.replace(old, new)
    file = folder / "shop.yaml"
    file.write_text(text, encoding="utf-8")
    return file
