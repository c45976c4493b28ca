"""What an answer has beside its records and these refer to, such as the lines of orders: joined to each record."""

from collections.abc import Mapping, Sequence

import msgspec

from talk_pipeline.systems.customwebshop.spec import paths
from talk_pipeline.systems.customwebshop.spec.asking import Empty
from talk_pipeline.systems.customwebshop.spec.description import Entity
from talk_pipeline.systems.customwebshop.spec.parts import Included
from talk_pipeline.systems.customwebshop.spec.paths import Json
from talk_pipeline.systems.customwebshop.wire.answers import (
    UnexpectedShapeFault,
    blank_text,
    blank_word,
    raw_at,
)
from talk_pipeline.systems.customwebshop.wire.records import parse, with_part

Key = tuple[str | None, ...]


def with_included(entity: Entity, body: bytes, payloads: Sequence[str]) -> list[str]:
    """Records with each part that they refer to, where the description says so.

    Args:
        entity: of the records.
        body: the answer that has them.
        payloads: the records in it.

    Raises:
        UnexpectedShapeFault: a reference, or what it refers to, is not there: what is left out would be lost.
    """
    parts = {name: part for name, part in entity.parts.items() if part.refers}
    if not (entity.included and parts and payloads):
        return list(payloads)
    known = _known(entity.included, body)
    joined = []
    for payload in payloads:
        for name, part in parts.items():
            found = _meant(
                name, part.refers or "", part.empty, by=entity.included, known=known, payload=payload
            )
            payload = with_part(payload, name, found)
        joined.append(payload)
    return joined


def _known(included: Included, body: bytes) -> Mapping[Key, str]:
    """What is included, as received, by what tells it apart."""
    listed = raw_at(body, included.at)
    try:
        rows = msgspec.json.decode(listed or "[]", type=list[msgspec.Raw])
    except msgspec.DecodeError as error:
        raise UnexpectedShapeFault(
            "included.at", f"no list at {included.at!r}: {(listed or '')[:200]}"
        ) from error
    texts = [bytes(row).decode() for row in rows]
    return {_key(included, parse(text)): text for text in texts}


def _key(included: Included, entry: Json) -> Key:
    """What tells an entry, or a reference to one, apart; a reference may be nothing but the id."""
    if not isinstance(entry, dict) and len(included.by) == 1:
        return (paths.text_of(entry),)
    return tuple(paths.text_of(paths.get(entry, place)) for place in included.by)


def _meant(
    name: str, place: str, empty: Empty, *, by: Included, known: Mapping[Key, str], payload: str
) -> str | None:
    """What a record refers to at a place: one, or a list of them; None where that says that there is none."""
    reference = paths.get(parse(payload), place)
    if word := blank_word(reference):
        if word in empty:
            return None
        how = "if that is how the shop says that there is none, say so under `empty`"
        text = f"a record has {blank_text(word)} at {place!r}, where it is to refer to something"
        text = f"{text}: {payload[:300]}; {how}"
        raise UnexpectedShapeFault(f"parts.{name}", text)
    assert reference is not paths.MISSING  # which has a word
    wanted = reference if isinstance(reference, list) else [reference]
    missing = [one for one in wanted if _key(by, one) not in known]
    if missing:
        text = f"{place!r} refers to {missing[0]}, which is not at {by.at!r} of the answer: ask for it by `query`"
        raise UnexpectedShapeFault(f"parts.{name}", f"{text}, and in `item`")
    found = [known[_key(by, one)] for one in wanted]
    return f"[{','.join(found)}]" if isinstance(reference, list) else found[0]
