"""What the steps of a plan hand to each other."""

from typing import ClassVar

from talk_pipeline.engine.state.workspace import Temp


class OnTheirWay(Temp):
    """What requests without an answer may be creating.

    value: by which it is known on the side it was sent to: the create key, or a child's match value.
    """

    NAME: ClassVar[str] = "on_their_way"
    COLUMNS: ClassVar[str] = (
        "part varchar, target varchar, source_id varchar, root_id varchar, value varchar, reason varchar"
    )


class Concerned(Temp):
    """Links either end of which is dirty, of whatever state, with what is held of both.

    bc_id: what it is linked with, or shares; own_bc_id: the first alone.
    """

    NAME: ClassVar[str] = "concerned"


class Touched(Temp):
    """Linked pairs of which either side is dirty: their ids, how the two stand, when each was edited.

    meeting: the two meet for the first time; one that we made of the other did not.
    """

    NAME: ClassVar[str] = "touched"


class Unsettled(Temp):
    """Pairs of a part that hold something else than what was agreed: as those of `Touched`, with their `place`."""

    NAME: ClassVar[str] = "unsettled"


class Pairs(Temp):
    """Properties of touched pairs of a part: what both sides hold now, and held when they agreed.

    Those of which nothing follows are left out; the others are counted by `nth`, in the order of their shop ids
    within each piece.
    """

    NAME: ClassVar[str] = "pair"


class Agreeing(Temp):
    """Properties on which both sides say the same: `shop_id, property`, and both values."""

    NAME: ClassVar[str] = "agreeing"


class LoneChildren(Temp):
    """Children of touched pairs that are there on one side only, with what follows: `operation, target`.

    source_side, source_id: the child that is there.
    """

    NAME: ClassVar[str] = "lone"


class DisputedRemovals(Temp):
    """Properties of removed children that the other side had edited, with the rule that decides."""

    NAME: ClassVar[str] = "disputed"
    COLUMNS: ClassVar[str] = (
        "source_side varchar, source_id varchar, property varchar, rule varchar, open boolean"
    )


class Unlinked(Temp):
    """Touched records without a counterpart: `side, id`, their values, and in `state` why none is created."""

    NAME: ClassVar[str] = "unlinked"


class Claims(Temp):
    """Records that have candidates or hit a pair, with the reason for a person."""

    NAME: ClassVar[str] = "claims"
    COLUMNS: ClassVar[str] = "side varchar, id varchar, contested boolean, reason varchar"


class Evaluated(Temp):
    """The shop records whose state is written anew: `shop_id`."""

    NAME: ClassVar[str] = "evaluated"


class Before(Temp):
    """Since when these were in a state: `shop_id, since`."""

    NAME: ClassVar[str] = "before"


class Unfinished(Temp):
    """Records that still have something to do, or wait for something: `shop_id, bc_id`."""

    NAME: ClassVar[str] = "unfinished"
