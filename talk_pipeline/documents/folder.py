"""The folder an import writes: flow files and the report, all of them or none."""

import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from talk_pipeline.documents.model import DocumentError

REPORT = "import-report.md"


def put(
    folder: Path, texts: Mapping[str, str], *, prove: Callable[[Path], None], overwrite: bool
) -> list[str]:
    """Writes files into a folder once they are proven; returns the names of flow files there that it left alone.

    Args:
        folder: made where it is not there.
        texts: name of a file -> its text.
        prove: told a folder with these files alone; raises where they are not right.
        overwrite: files of these names are replaced.

    Raises:
        DocumentError: something is in the way.
    """
    if folder.exists() and not folder.is_dir():
        raise DocumentError(f"{folder}: is no folder; name one to write flow files into (--out)")
    there = sorted(file.name for file in folder.glob("*.yaml")) + [REPORT] * (folder / REPORT).exists()
    if there and not overwrite:
        raise DocumentError(
            f"{folder}: holds {', '.join(there)} already: name another folder, or say --overwrite to replace what"
            f" is written anew ({', '.join(texts)})"
        )
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".import-") as aside:
        for name, text in texts.items():
            (Path(aside) / name).write_text(text, encoding="utf-8")
        prove(Path(aside))
        for name in texts:
            shutil.move(Path(aside) / name, folder / name)
    return [name for name in there if name not in texts and name != REPORT]
