"""One measured figure."""

from dataclasses import asdict, dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Result:
    """A figure, what it should reach, and which way is better."""

    value: float
    target: float
    better: Literal["lower", "higher"]
    unit: str

    def as_json(self) -> dict[str, Any]:
        """As `bench.json` holds it."""
        return asdict(self)
