"""What the steps of a matching hand to each other."""

from typing import ClassVar

from talk_pipeline.engine.state.workspace import Temp


class Pool(Temp):
    """Records that are there and have no link: `side, id`, the row's `place`, and what match rules go by.

    keys: one a rule, in their order, null where blank; some rule goes by each record. What is matched leaves it.
    """

    NAME: ClassVar[str] = "pool"


class Paired(Temp):
    """Keys of match rules that belong to pairs: those that newcomers carried too, and those of pairs just made."""

    NAME: ClassVar[str] = "paired"
    COLUMNS: ClassVar[str] = "rule bigint, key varchar, shop_id varchar, bc_id varchar"


class Claimed(Temp):
    """Newcomers whose key belongs to a pair, with the pair they hit."""

    NAME: ClassVar[str] = "claimed"
    COLUMNS: ClassVar[str] = "side varchar, id varchar, shop_id varchar, bc_id varchar"


class Shared(Temp):
    """Pairs that share a key: `shop_id, bc_id`, the `place` of both, and whether they are `certain` to be one."""

    NAME: ClassVar[str] = "shared"


class DirtyPairs(Temp):
    """Linked pairs either end of which is dirty: `shop_id, bc_id`."""

    NAME: ClassVar[str] = "dirty_pair"


class LinksBelow(Temp):
    """Links of the children of some pairs: `part, shop_id, bc_id, root_shop_id, state`, and the row's `place`."""

    NAME: ClassVar[str] = "link_below"


class HeldBelow(Temp):
    """What is held of some pairs and their children: `part, side, id, root_id`, and the `place` of its values."""

    NAME: ClassVar[str] = "held_below"


class FreeChildren(Temp):
    """Children that may be one: `shop_id, bc_id, root_shop_id`, and whom they were linked with before."""

    NAME: ClassVar[str] = "free"


class Fingerprinted(Temp):
    """Of what refusals depend on, as it is now: `root_shop_id, fingerprint`."""

    NAME: ClassVar[str] = "fingerprinted"


class CreatesInDoubt(Temp):
    """Creates of which nobody knows what they became.

    source_id: the record on the other side that each is of; key: by which what was made is known, as keys are
    compared; told: what match rules go by, where there is none.
    """

    NAME: ClassVar[str] = "create_in_doubt"
    COLUMNS: ClassVar[str] = (
        "target varchar, source_id varchar, key varchar, since timestamp, awaited boolean, reason varchar,"
        " told map(varchar, varchar)"
    )


class MayBeMade(Temp):
    """Unlinked records that a create without an answer, or of unknown outcome, may have made.

    source_id: the record that was to be created, on the other side; awaited: its request may still be answered;
    reason: why a person has to look at it otherwise.
    """

    NAME: ClassVar[str] = "may_be_made"
    COLUMNS: ClassVar[str] = (
        "side varchar, id varchar, place bigint, source_id varchar, awaited boolean, reason varchar"
    )


class MayMeet(Temp):
    """Touched records without a counterpart that may meet one of these, on the other side, with the reason."""

    NAME: ClassVar[str] = "may_meet"
    COLUMNS: ClassVar[str] = "side varchar, id varchar, reason varchar"
