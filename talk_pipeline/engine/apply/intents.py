"""What the journal keeps of the requests of a changeset before they leave."""

from collections.abc import Mapping

from talk_pipeline.engine.apply.changesets import Changeset, RecordChanges
from talk_pipeline.engine.model import Intended, Intent, Sent
from talk_pipeline.engine.snapshot.projection import own_id


def target_child_id(changeset: Changeset, edit: RecordChanges) -> str | None:
    """The id by which the target system knows a child."""
    key = edit.id_on(changeset.target)
    parent = changeset.root.id_on(changeset.target)
    if edit.operation == "create" or key is None or parent is None:
        return None
    return own_id(parent, key)


def intended(edit: RecordChanges, sent: Mapping[str, Sent]) -> Intended:
    """What the journal keeps of an edit."""
    return Intended(edit.part.name, edit.operation, edit.shop_id, edit.bc_id, sent)


def intent_for(
    changeset: Changeset,
    main: Intended,
    *,
    children: tuple[Intended, ...] = (),
    natural_key: str | None = None,
) -> Intent:
    """The intent of one request of a changeset."""
    return Intent(
        changeset.flow.name,
        changeset.target,
        changeset.root_shop_id,
        changeset.root_bc_id,
        main,
        children,
        natural_key,
    )
