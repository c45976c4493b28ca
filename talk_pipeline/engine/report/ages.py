"""How long ago something was, in the words of people."""

from datetime import datetime

from talk_pipeline.engine.state.connection import now
from talk_pipeline.wording import counted, unit_of


def age(moment: datetime | None) -> str:
    """The time since an instant of the database, such as `3 days`; blank where it is not known."""
    if moment is None:
        return ""
    seconds = seconds_since(moment)
    unit, length = unit_of(seconds)
    return counted(seconds // length, unit)


def seconds_since(moment: datetime) -> int:
    """Whole seconds since an instant of the database; none where a clock was set back."""
    return max(0, int((now() - moment).total_seconds()))
