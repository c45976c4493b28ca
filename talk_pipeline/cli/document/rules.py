"""The rules of a section in words, from the declaration: matching, creating, exclusions, conflicts, deletions."""

from collections.abc import Iterator

from talk_pipeline.cli.document.names import BC, SHOP, belonging, called, end, listed, system
from talk_pipeline.cli.document.tree import Rule, Table
from talk_pipeline.flows.endings import summed
from talk_pipeline.flows.loading import Flows
from talk_pipeline.flows.properties import Policy, Property
from talk_pipeline.flows.referring import asked_of
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.tuning import Breaker, Limit
from talk_pipeline.flows.vocabulary import Flow, Part
from talk_pipeline.wording import counted


def rules(flows: Flows, flow: Flow, part: Part) -> tuple[Rule, ...]:
    """The rules, each under its title."""
    found = [
        Rule("Match rules", tuple(_matching(flow, part)), _match_table(flow, part) if part.match else None),
        Rule("Create rules", tuple(_creating(flows, flow, part))),
        Rule("Exclusions", tuple(_exclusions(flow, part))),
        Rule("Conflict policy", tuple(_conflicts(flow, part))),
        Rule("Deletion policy", tuple(_deletions(flow, part))),
        Rule("Values that are translated", tuple(_translated(part))),
    ]
    if part.parent is None:
        found.append(Rule("Limits of one run", tuple(_breaker(flow.settings.breaker))))
    return tuple(rule for rule in found if rule.sentences)


def _match_table(flow: Flow, part: Part) -> Table:
    columns = tuple(f"{end(flow, part, side)} Property" for side in Side)
    props = [part.by_name[name] for name in part.match]
    rows = tuple((", or ".join(prop.shop_paths), prop.bc) for prop in props)
    return Table("", columns, rows, len(rows))


def _matching(flow: Flow, part: Part) -> Iterator[str]:
    shop, bc = end(flow, part, Side.SHOP), end(flow, part, Side.BC)
    parent = end(flow, flow.root, Side.SHOP)
    if not part.match:
        yield f"A {shop} will merge with a {bc} by position, within a linked pair of {parent}."
        return
    yield f"A {shop} will merge with a {bc} if one of the following property combinations match:"
    if part.parent:
        yield f"Only within a linked pair of {parent}; those of one value by position."
        return
    if len(part.match) > 1:
        yield "The first that finds anything counts. A blank never matches."
    else:
        yield "A blank never matches."
    yield (
        "More than one candidate, or one that belongs to a pair already, is never guessed between:"
        " it is listed as ambiguous, until a person links the right one or the data change."
    )
    yield "What a person linked, parted or kept apart by hand outranks these rules."


def _creating(flows: Flows, flow: Flow, part: Part) -> Iterator[str]:
    shop, bc = end(flow, part, Side.SHOP), end(flow, part, Side.BC)
    if part.parent:
        yield f"A {shop} that is new gets a new {bc}, and a new {bc} a new {shop}."
    elif flow.settings.create == "never":
        yield "Nothing is created."
    else:
        key = flow.root.by_name[flow.create_key]
        known_by = key.bc
        if flow.settings.number == "series":
            yield f"{BC} numbers a new {bc} by a series of its own: {key.bc} is not sent."
            known_by = "all that was sent"
        yield (
            f"A request whose answer was lost is looked for by {known_by} before anything is sent again,"
            " so that nothing is created twice."
        )
        if closed := flow.businesscentral.closed_by:
            yield f"A {shop} whose {closed.key} is found in {closed.entity} was posted: it gets no new {bc}."
    constants = [*belonging(part, first=True)] if part.parent else []
    constants += [
        f"{prop.name if part.parent is None else prop.bc} {flow.settings.constants[prop.name]}"
        for prop in part.properties
        if prop.shop is None and prop.mapped
    ]
    if constants:
        yield f"A new {bc} gets {listed(constants)}."
    for prop in part.references:
        other = flows[prop.refers_to or ""]
        usable = [
            f"{one.key} is not {one.taken}, which is for {one.whose}"
            if one.taken
            else f"{one.key} is {one.wanted or 'filled'}"
            for one in asked_of(prop, part, flows)
        ]
        while_ = f", and its {listed(usable)}" if usable else ""
        yield (
            f"It waits until the {end(other, other.root, Side.SHOP)} that {prop.name} names has a counterpart"
            f"{while_}."
        )


def _exclusions(flow: Flow, part: Part) -> Iterator[str]:
    shop, bc = end(flow, part, Side.SHOP), end(flow, part, Side.BC)
    if part.scope:
        fields = listed(belonging(part, verb=" is not"))
        yield f"A {bc} whose {fields} is left alone and survives; a pair where it changes so is listed."
    if part.parent:
        return
    settings = flow.settings
    if (
        settings.create_scope
        or settings.scope
        or settings.create in ("never", "when_referenced", "businesscentral")
    ):
        yield f"A {shop} outside of what is created or synchronized is listed as excluded, with its reason."
    if settings.shared:
        by = f", or by {listed(settings.shared_by, last='or')}" if settings.shared_by else ""
        yield (
            f"More than one {shop} may share a {bc}: one is linked and leads, others are attached by hand{by}."
            " What refers to them goes to the one they share, and their own properties are left alone."
        )
    if closed := flow.businesscentral.closed_by:
        yield f"A pair whose {bc} was posted to {closed.entity} is closed: its story ended, it was not deleted."
        compared = [prop.name for prop in summed(closed, flow.properties)]
        if compared:
            yield (
                f"Then its {listed(compared)} is compared with the sum of what it was posted to, and a difference"
                " is listed until somebody takes note of it."
            )
    if archive := flow.businesscentral.archived_in:
        yield f"A {bc} that was deleted is told as archived where {archive.entity} keeps a version of it."
    for flag in flow.flags:
        words = listed(f"{name} {listed(values, last='or')}" for name, values in flag.shop.items())
        over = f"; once the {bc} is deleted too, its story has ended" if flag.ends else ""
        yield f"A {shop} with {words} is listed and never acted on: {flag.reason}{over}."
    for name, why in flow.shop_lacks.items():
        yield f"{name} is limited: {why}."


_POLICIES: dict[Policy, str] = {
    "last_writer": "the later edit wins",
    "customwebshop": f"{SHOP} wins",
    "businesscentral": f"{BC} wins",
    "manual": "a person decides, and nothing is written until then",
}


def conflict_winner(policy: Policy) -> str:
    """Who wins a conflict, as a sentence begins."""
    words = _POLICIES[policy]
    return words[0].upper() + words[1:]


def _conflicts(flow: Flow, part: Part) -> Iterator[str]:
    settings = flow.settings
    if not any(prop.two_way for prop in part.properties):
        return
    tie = f"; {system(settings.master)}'s where the times are equal or unknown"
    yield (
        f"Where both sides edited one property since the two last agreed, {_POLICIES[settings.conflict]}"
        f"{tie if settings.conflict == 'last_writer' else ''}. Both values are kept and listed."
    )
    for prop in part.properties:
        if prop.conflict and prop.conflict != settings.conflict:
            yield f"Of {prop.name}, {_POLICIES[prop.conflict]}."
    if part.parent:
        return
    meets = "Where two records that both existed meet for the first time and differ, "
    match settings.initial:
        case "fill":
            yield f"{meets}{system(settings.master)} fills; a blank never overwrites."
        case "manual":
            yield f"{meets}a person decides."
        case side:
            yield f"{meets}{system(Side(side))} wins; a blank never overwrites."


_LEFT = {
    "flag": "the pair is listed as broken, and nothing is done to the {other}",
    "unlink": "the two are parted, and nothing is done to the {other}",
    "block": "the {other} is taken out of use: {blocked}",
    "delete": "the {other} is deleted",
}


def _deletions(flow: Flow, part: Part) -> Iterator[str]:
    ends = {side: end(flow, part, side) for side in Side}
    if part.parent:
        for side in Side:
            yield f"A {ends[side]} that is removed is removed in {system(side.other)} too."
        yield "One that was edited on the other side meanwhile is settled by the conflict policy."
        return
    blocked = listed(f"{name} becomes {word}" for name, word in flow.settings.blocked_by.items())
    for side in Side:
        policy = _LEFT[flow.settings.disappearance_from(side)]
        yield f"When a {ends[side]} disappears, {policy.format(other=ends[side.other], blocked=blocked)}."


def _translated(part: Part) -> Iterator[str]:
    for prop in part.properties:
        if prop.values or prop.reads:
            yield f"{called(prop)} and {prop.bc}: {_words(prop)}."


def _words(prop: Property) -> str:
    both = [f"{shop or 'blank'} is {bc or 'blank'}" for shop, bc in prop.values.items()]
    reads = [f"{bc or 'blank'} reads as {shop or 'blank'}" for bc, shop in prop.reads.items()]
    return ", ".join([*both, *reads])


def _breaker(breaker: Breaker) -> Iterator[str]:
    limits = [
        ("first meetings of pairs that differ", breaker.first_meetings),
        ("records that disappeared in one full read", breaker.disappeared),
        ("creates", breaker.creates),
        ("updates", breaker.updates),
        ("deletes", breaker.deletes),
    ]
    told = [f"changes in linked pairs: {breaker.share:.0%} ({breaker.minimum} or more)"]
    told += [f"{what}: {limit}" for what, one in limits if (limit := _limit(one, breaker.minimum))]
    yield (
        "A run that would do more than this stops before it writes anything, and shows the largest changes until"
        f" a person approves it. The most: {'; '.join(told)}."
    )


def _limit(limit: Limit, minimum: int) -> str:
    phrases = [counted(limit.count, "record")] if limit.count is not None else []
    if limit.share is not None:
        phrases.append(f"{limit.share:.0%} ({limit.minimum or minimum} or more)")
    return " or ".join(phrases)
