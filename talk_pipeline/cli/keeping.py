"""`talk-pipeline backup` and `restore`: the state in a file, and back."""

from pathlib import Path

from talk_pipeline import installation
from talk_pipeline.settings import Settings


def back_up(file: Path, *, overwrite: bool) -> None:
    """Writes a backup, and tells what it holds."""
    there = file.exists()
    contents = installation.back_up(Settings.load(), file, overwrite=overwrite)
    replaced = "; it replaced an earlier file" if there else ""
    print(f"{file} is written and was read back: {contents}{replaced}")


def restore(file: Path) -> None:
    """Restores a backup, and tells what became of what was there."""
    contents, replaced = installation.restore(Settings.load(), file)
    print(f"{file} is restored: {contents}")
    if replaced:
        print(f"what it replaced is kept as {replaced}: delete it once all is well")
    print("next: talk-pipeline sync; it reads both systems in full")
