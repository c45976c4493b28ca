"""How a shop writes moments, and the way back."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal, InvalidOperation

from talk_pipeline.flows.moments import can_be_of_a_record, rfc3339
from talk_pipeline.systems.customwebshop.spec import paths
from talk_pipeline.systems.customwebshop.spec.paths import JsonOrMissing


@dataclass(frozen=True, slots=True)
class Times:
    """How a shop writes moments.

    Attributes:
        format: rfc3339, epoch, epoch_ms, or a pattern such as `%Y-%m-%d %H:%M:%S`.
        zone: of moments without an offset.
    """

    format: str
    zone: tzinfo

    def read(self, value: JsonOrMissing, *, until: Callable[[], datetime] | None = None) -> datetime | None:
        """An aware moment; None for a blank, for what is no moment, and for one that no record can be of.

        Args:
            value: as the shop writes it.
            until: tells the present. Of an hour that comes twice the second is meant where that is not after it,
                else the first: what moves with every edit would go back an hour otherwise.
        """
        text = paths.text_of(value)
        if text is None:
            return None
        try:
            if self.format in ("epoch", "epoch_ms"):
                seconds = Decimal(text) / (1000 if self.format == "epoch_ms" else 1)
                moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=float(seconds))
            elif self.format == "rfc3339":
                moment = datetime.fromisoformat(text)
            else:
                moment = datetime.strptime(text, self.format)  # noqa: DTZ007 (the zone is set below)
            found = (moment if moment.tzinfo else moment.replace(tzinfo=self.zone)).astimezone(UTC)
            if until and not moment.tzinfo:
                second = moment.replace(tzinfo=self.zone, fold=1).astimezone(UTC)
                found = second if found < second <= until() else found
        except (ValueError, InvalidOperation, OverflowError):
            return None
        return found if can_be_of_a_record(found) else None

    def write(self, moment: datetime) -> str | int:
        """The moment as the shop takes it."""
        if self.format == "epoch":
            return int(moment.timestamp())
        if self.format == "epoch_ms":
            return int(moment.timestamp() * 1000)
        if self.format == "rfc3339":
            return rfc3339(moment)
        return moment.astimezone(self.zone).strftime(self.format)

    def since(self, moment: datetime) -> str | int:
        """The moment to ask from; where clocks are set back, an hour that comes twice is asked for whole."""
        local = moment.astimezone(self.zone)
        first, second = local.replace(fold=0).utcoffset(), local.replace(fold=1).utcoffset()
        repeated = (first or timedelta()) - (second or timedelta())
        return self.write(local.replace(fold=0) - repeated if repeated > timedelta() else moment)
