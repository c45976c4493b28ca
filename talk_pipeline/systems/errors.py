"""What can go wrong with a system, by what the caller does next.

    SystemFault                 a whole call failed; nothing of it may be taken for an answer
    ├── ConfigurationFault      a person must change a setting: wrong address, unknown company, no entity
    │   └── ForeignHostFault    the system points to another host; nothing is sent there
    ├── AccessFault             a person must change credentials or permissions
    │   └── DeniedFault         who asks is known, and may not have this: of one record asked for, it alone
    └── UnavailableFault        not now: unreachable, overloaded, broken answer; the next run tries again
        └── UnreachableFault    no answer came at all

Texts of servers enter through these, and lose whatever secret they repeat.

A single write never raises for what the system says of it: that is an `Outcome`.
"""

from talk_pipeline.redaction import redacted


class SystemFault(Exception):  # noqa: N818 (a fault of the other side, not of ours)
    """A call to a system failed as a whole."""

    def __init__(self, message: str) -> None:
        super().__init__(redacted(message))


class ConfigurationFault(SystemFault):
    """The settings name something that is not there."""


class ForeignHostFault(ConfigurationFault):
    """The system sends us to another host, which must not see our credentials."""


class AccessFault(SystemFault):
    """The credentials are not accepted, or do not suffice."""


class DeniedFault(AccessFault):
    """Who asks is known, and may not see what is asked for (403)."""


class UnavailableFault(SystemFault):
    """The system cannot be reached or gives no usable answer."""


class UnreachableFault(UnavailableFault):
    """No answer came at all."""
