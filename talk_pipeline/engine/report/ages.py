"""How long ago something was, in the words of people."""

from datetime import datetime

from talk_pipeline.engine.state.connection import now
from talk_pipeline.wording import counted

_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60))
TWO_OF_A_KIND = 2


def age(moment: datetime | None) -> str:
    """The time since an instant of the database in its largest unit, such as `3 days`; blank where it is not known.

    Below two of a unit the next smaller one is told, since one day may be nearly two.
    """
    if moment is None:
        return ""
    seconds = seconds_since(moment)
    for unit, length in _UNITS:
        if seconds >= TWO_OF_A_KIND * length:
            return counted(seconds // length, unit)
    return counted(seconds, "second")


def seconds_since(moment: datetime) -> int:
    """Whole seconds since an instant of the database; none where a clock was set back."""
    return max(0, int((now() - moment).total_seconds()))
