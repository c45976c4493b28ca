"""Writes the committed set anew: ``python -m talk_pipeline.sandbox.seed``."""

from __future__ import annotations

import json

from talk_pipeline.sandbox.seed import FOLDER, SIZE, generate


def main() -> None:
    """Write both sides' files."""
    seed = generate(SIZE, 1)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, side in (("customwebshop", seed.shop), ("businesscentral", seed.central)):
        text = json.dumps(side, ensure_ascii=False, indent=1)
        (FOLDER / f"{name}.json").write_text(f"{text}\n", "utf-8")


if __name__ == "__main__":
    main()
