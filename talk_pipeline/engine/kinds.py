"""The kinds by which code decides. Every one stands beside a text for people, which decides nothing."""

from enum import StrEnum


class HoldKind(StrEnum):
    """Why a planned change is not written now."""

    WAITING = "waiting"  # what it refers to has no usable counterpart, or what goes first is held back itself
    RESTING = "resting"  # edited moments ago: somebody may still be at it
    GUARDED = "guarded"  # the record is not open for it in Business Central
    POSTED = "posted"  # the record was posted in Business Central before: nothing can be written to it
    DEFERRED = "deferred"  # something else goes first, in this run or the next
    EXCLUDED = "excluded"  # outside what the flow synchronizes
    MANUAL = "manual"  # a person decides
    QUARANTINED = "quarantined"  # the other side cannot represent it
    DIFFERING = "differing"  # what it would come to is not what the shop says
    REFUSED = "refused"  # a system refused it, for this version of the data
    OSCILLATING = "oscillating"  # the two systems keep storing it differently
    FLAPPING = "flapping"  # the same two words keep crossing each other

    @property
    def label(self) -> str:
        """What a person calls it; also the state of the record, where the kind makes one."""
        return _LABELS.get(self, self.value)


_LABELS = {
    HoldKind.RESTING: "waiting",
    HoldKind.DIFFERING: "quarantined",
    HoldKind.REFUSED: "quarantined",
    HoldKind.OSCILLATING: "quarantined",
    HoldKind.FLAPPING: "quarantined",
}


class RefusalKind(StrEnum):
    """What a refusal rests on."""

    REFUSED = "refused"  # the system said no
    OUTCOME_UNKNOWN = "outcome_unknown"  # what was sent may have become something else: a person looks


class LinkState(StrEnum):
    """What becomes of a link."""

    ACTIVE = "active"
    HELD = "held"  # unlinked by hand, or parted: one of the two had left, or is another record by now
    CLOSED = "closed"  # the story ended: the order was posted
    ATTACHED = "attached"  # beside a pair: it shares the pair's Business Central record, and does not lead


GIVEN_OUT_ANEW = "given out anew"
"""The rule of a link that is held since another record is shown under the id and the key of one of the two."""


BY_HAND = "by hand"
"""The rule of a link that a person made."""


class Status(StrEnum):
    """The state of a shop record that is not simply in step."""

    WAITING = "waiting"
    AMBIGUOUS = "ambiguous"
    QUARANTINED = "quarantined"
    HELD = "held"
    ATTACHED = "attached"
    EXCLUDED = "excluded"
    CLOSED = "closed"
    BROKEN = "broken"


class Gone(StrEnum):
    """Why a record that is held is not there any more."""

    DELETED = "deleted"  # the system itself says so
    VANISHED = "vanished"  # a full scan lacks it, and it is not found by its id
    ARCHIVED = "archived"  # the same, and a version of it is kept among what is archived
    POSTED = "posted"  # its story ended in Business Central
    OUT_OF_SCOPE = "out_of_scope"  # it is there, and none of the flow's


DISAPPEARED = ", ".join(f"'{kind}'" for kind in (Gone.DELETED, Gone.VANISHED, Gone.ARCHIVED))
"""The kinds of a record that is no more, as SQL lists them: neither posted nor outside the scope."""
