"""How a company stands: its last run, how far each flow lags, what waits for a person, what is used of the limits.

From its database and from where the limits count; neither system is asked.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from talk_pipeline.cli.telling import run_document
from talk_pipeline.clients import counted_at
from talk_pipeline.declarations import checked_files
from talk_pipeline.engine.report.ages import seconds_since
from talk_pipeline.engine.report.attention import attention
from talk_pipeline.engine.report.overview import Whereabouts, whereabouts
from talk_pipeline.engine.report.sheet import Sheet, sheet_of
from talk_pipeline.flows.sides import Side
from talk_pipeline.settings import Settings
from talk_pipeline.states import known_state
from talk_pipeline.systems.customwebshop.spec.description import Description
from talk_pipeline.systems.http.usage import requests_in_window


@dataclass(frozen=True, slots=True)
class Budget:
    """What one application has used of a system's limit.

    Attributes:
        application: as the system knows it; blank for the only one, or the first.
        used: requests of the window that ends now; None where that cannot be read.
        allowed: in one window.
    """

    side: Side
    application: str
    used: int | None
    allowed: int
    window_seconds: float


@dataclass(frozen=True, slots=True)
class Standing:
    """How a company stands.

    Attributes:
        sheet: of the last run; None before the first.
        where: where the flows are.
        waiting: how many records wait for a person, by kind.
    """

    sheet: Sheet | None
    where: tuple[Whereabouts, ...]
    waiting: dict[str, int]
    budgets: tuple[Budget, ...]

    @property
    def open_requests(self) -> int:
        """How many have an outcome that is not known."""
        return sum(one.open_requests for one in self.where)

    def document(self) -> dict[str, Any]:
        """For scripts."""
        sheet = self.sheet
        return {
            "run": sheet and {**run_document(sheet), "age_seconds": seconds_since(sheet.run.started_at)},
            "flows": {one.flow: one.document() for one in self.where},
            "attention": {"total": sum(self.waiting.values()), "counts": self.waiting},
            "limits": [
                {
                    "system": str(one.side),
                    "application": one.application,
                    "used": one.used,
                    "allowed": one.allowed,
                    "window_seconds": one.window_seconds,
                }
                for one in self.budgets
            ],
        }


def standing_of(settings: Settings) -> Standing:
    """How the company of these settings stands.

    Raises:
        ByHandError: nothing ran yet.
        StateBusyError: a run keeps the database for too long.
    """
    flows, shop = checked_files(settings)
    with known_state(settings).once() as db:
        sheet = sheet_of(db, flows)
        where = tuple(whereabouts(db, flows))
        waiting = attention(db, flows, most=0).counts
    return Standing(sheet, where, waiting, tuple(_budgets(settings, shop)))


def _budgets(settings: Settings, shop: Description) -> Iterator[Budget]:
    allowed = {
        Side.SHOP: (shop.limits.requests, shop.limits.seconds),
        Side.BC: (settings.businesscentral_requests, settings.businesscentral_window_seconds),
    }
    for side, (requests, seconds) in allowed.items():
        counted = counted_at(settings, side)._asdict()
        for application, used in requests_in_window(**counted, window_seconds=seconds):
            yield Budget(side, application, used, requests, seconds)
