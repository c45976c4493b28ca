"""Asking Business Central, before anything depends on it, whether the flows will get through.

Nothing is changed: the one write that is tried carries a value the record already has, against a version that
cannot be right.
"""

from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Sequence

from talk_pipeline.engine.model import Result, Write
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow
from talk_pipeline.systems.businesscentral.client import Businesscentral
from talk_pipeline.systems.businesscentral.comparing import Answered, compared, foreign_words
from talk_pipeline.systems.businesscentral.description import EntitySet
from talk_pipeline.systems.businesscentral.entities import Entities
from talk_pipeline.systems.businesscentral.metadata import Metadata
from talk_pipeline.systems.businesscentral.rows import ETAG
from talk_pipeline.systems.businesscentral.values import parse
from talk_pipeline.systems.errors import AccessFault, ConfigurationFault, SystemFault
from talk_pipeline.wording import counted

NO_VERSION = 'W/"JzE4OzAwMDAwMDAwMDAwMDAwMDAwMDAwOzAwOyc="'


_DONE = {"create": "created", "update": "changed", "delete": "deleted"}


def capabilities(described: EntitySet) -> str:
    """What may be done to the records of an entity set, as its description has it."""
    may = ", ".join(["read", *(done for name, done in _DONE.items() if name in described.writes)])
    told = "Business Central tells of changes" if described.notices else "it tells of no change"
    return f"{described.entity}: may be {may}; {told}"


async def declared(
    bc: Businesscentral, sets: Iterable[EntitySet], flows: Collection[Flow] = ()
) -> AsyncIterator[Answered]:
    """How each of these sets stands to what the service declares of itself: what it has, allows and tells of.

    Args:
        bc: the service that is asked.
        sets: as they are described.
        flows: those whose words are to be among its own.
    """
    told = await bc.notifiable()
    apis: dict[str, Metadata | None] = {}
    for described in sets:
        api = described.api
        if api not in apis:
            try:
                apis[api] = await bc.metadata(api)
            except SystemFault as fault:
                apis[api] = None
                yield Answered("warning", f"{api}: what it declares is not known: {fault}")
        if (metadata := apis[api]) is None:
            continue
        try:
            metadata.type_of(described.name)
        except ConfigurationFault as fault:
            yield Answered("problem", f"{described.entity}: {fault}")
            continue
        yield Answered("ok", capabilities(described))
        for found in compared(described, metadata):
            yield found
        for flow in flows:
            if flow.businesscentral.entity == described.entity:
                for found in foreign_words(flow, described, metadata):
                    yield found
        for name in described.writes:
            if name not in metadata.writes[described.name]:
                text = f"may not be {_DONE[name]}, says $metadata, though `writes` has it"
                yield Answered("warning", f"{described.entity}: {text}")
        if described.notices and told is not None and f"{api}/{described.name}" not in told:
            text = "Business Central tells of no change of it; say notices: false, the sensors look"
            yield Answered("warning", f"{described.entity}: {text}")


async def probe(bc: Businesscentral, flow: Flow, entities: Entities) -> AsyncIterator[Answered]:
    """Permission to read and to write, and what prices of the flow mean."""
    entity = flow.businesscentral
    try:
        sample = await bc.sample(flow.name)
        yield Answered(
            "ok",
            f"{entity.entity}: {counted(len(sample), 'record')} read, with all that the flow reads of them",
        )
        if refused := await _no_filter(bc, flow, entities[entity.entity], sample):
            yield refused
        for other in entity.elsewhere:
            await bc.prove(other.entity, other.asked(flow.root.alternatives, flow.root.references))
            yield Answered("ok", f"{other.entity}: may be read")
    except AccessFault as fault:
        yield Answered("problem", f"{entity.entity}: no permission to read: {fault}")
        return
    except SystemFault as fault:
        bare = await bc.answers_bare(entity.entity)
        hint = "; asked without $select it answers: a property may be called otherwise, or say selects: false"
        yield Answered("problem", f"{entity.entity}: {fault}{hint if bare else ''}")
        return
    for found in _price_mode(flow, entities, sample):
        yield found
    if "update" in entities[entity.entity].writes:
        yield await _may_write(bc, flow, sample, described=entities[entity.entity])


async def _no_filter(
    bc: Businesscentral, flow: Flow, described: EntitySet, sample: Sequence[str]
) -> Answered | None:
    """Where it takes no filter by the key by which a create without an answer is looked for; rows are not made."""
    path = flow.root.by_name[flow.create_key].bc
    said = [bc.decode(flow.name, payload).values.get(path or "") for payload in sample]
    known = [one for one in said if one is not None][:1]
    if not (path and known and described.filters) or described.grouped_by:
        return None
    try:
        await bc.find(flow.name, path, values=known)
    except AccessFault:
        raise
    except SystemFault as fault:
        text = f"{described.entity}: it takes no filter by {path}: say filters: false, or have another create_key"
        return Answered("problem", f"{text} ({fault})")
    return None


async def _may_write(
    bc: Businesscentral, flow: Flow, sample: Sequence[str], *, described: EntitySet
) -> Answered:
    name = flow.businesscentral.entity
    for payload in sample:
        values = bc.decode(flow.name, payload).values
        known = (prop for prop in flow.root.properties if prop.goes_to(Side.BC) and not prop.refers_to)
        prop = next((prop for prop in known if values.get(prop.bc) is not None), None)
        if prop is None:
            continue
        write = Write(
            entity=name,
            operation="update",
            id=described.id_of(parse(payload)),
            version=NO_VERSION,
            values={prop.bc: values[prop.bc]},
            idempotency_key="",
            current=payload,
        )
        try:
            (outcome,) = await bc.write(flow.name, [write])
        except AccessFault as fault:
            return Answered("problem", f"{name}: no permission to write: {fault}")
        if outcome.result is Result.STALE:
            return Answered("ok", f"{name}: a write against a wrong version is turned away for that alone")
        if outcome.result is Result.DONE:
            return _heeds_none(name, shows_versions=ETAG in parse(payload))
        return Answered("problem", f"{name}: a write of {prop.bc} as it is was turned away: {outcome.reason}")
    why = "no record shown has a value of what is written" if sample else "no records"
    return Answered("warning", f"{name}: {why}: whether they may be written is not proven")


def _heeds_none(name: str, *, shows_versions: bool) -> Answered:
    """What it means that a write of what is there was taken, though against a wrong version."""
    text = f"{name}: a write against a wrong version is taken"
    if shows_versions:
        return Answered("warning", f"{text}, though it shows versions: an edit meanwhile may be overwritten")
    return Answered("ok", f"{text}: it shows none, so a record is read again before each write")


def _price_mode(flow: Flow, entities: Entities, sample: Sequence[str]) -> Iterator[Answered]:
    """Whether a price means the same on both sides: with tax or without must be part of the mapping."""
    named = entities[flow.businesscentral.entity].price_mode
    priced = [
        prop.bc
        for part in flow.parts
        if (described := entities.of(flow, part))
        for prop in part.properties
        if prop.bc in described.prices and prop.two_way
    ]
    if not priced or named is None:
        return
    mode = next((prop for prop in flow.root.properties if prop.bc == named), None)
    if mode is None:
        text = f"{flow.name}: {', '.join(priced)} are mapped, but not whether they include tax"
        yield Answered("warning", f"{text}: add {named}")
        return
    included = sum(parse(payload).get(mode.bc) is True for payload in sample)
    has = "has" if included == 1 else "have"
    yield Answered(
        "ok",
        f"{mode.bc}: {included} of {counted(len(sample), 'record')} shown {has} prices with tax; it is mapped",
    )
