"""Wakes: files by which a change notice tells a sensor to look now.

A lost, repeated or late one changes nothing but when the next look happens.
"""

from pathlib import Path

from talk_pipeline.flows.sides import Side


def wake(data_dir: Path, side: Side) -> None:
    """Asks the side's sensor to look at its next tick."""
    file = _file(data_dir, side)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()


def woken_after(data_dir: Path, side: Side, *, timestamp: float) -> bool:
    """Whether somebody asked since then (seconds since the epoch)."""
    file = _file(data_dir, side)
    return file.exists() and file.stat().st_mtime > timestamp


def _file(data_dir: Path, side: Side) -> Path:
    return data_dir / "wakes" / side
