"""What the sentences of the family say, and what a section's sentences mean for a flow's `settings.create`.

A sentence counts only as a whole: one that says a little more, such as a condition, is not understood and goes to a
person. The first rule that fits holds.
"""

import re
from collections.abc import Iterator

from talk_pipeline.documents.model import Says, Section, Sentence
from talk_pipeline.flows.sides import Side

# {a} and {b} are what the heading joins, systems included
_RULES = (
    (
        # and nothing more: a second condition is not understood
        Says.WHEN_CONNECTED,
        "(?=.*(?:{a}|{b})).*(?:created|synchroni[sz]ed).* (?:if|when) .*connected to"
        " .*synchroni[sz]ed(?:(?! (?:and|or|if|when|where|unless|but) ).)*",
    ),
    (Says.EVERY_RECORD, "every {a} (?:will be|is|are) synchroni[sz]ed with (?:an? )?{b}"),
    (
        Says.LINK_FIRST,
        "(?:before .*synchroni[sz].*|first,? )link between (?:an? )?{a} and (?:an? )?{b} .*established.*",
    ),
    (Says.ON_CONDITION, r"(?=.*(?:{a}|{b})).*\bcreated\b.* (?:if|when|unless|provided|only|where)\b.*"),
    (Says.CREATES, "(?:an? )?(?:new )?{b} (?:will be|is) created from (?:an? |every |each )?{a}"),
    (
        Says.MERGES,
        r"(?:an? )?{a} .*\b(?:merged?|match(?:ed)?)\b.* {b}\b.* (?:if|when) .*propert.*"
        r"|(?:an? )?{a} .*{b}\b.*\b(?:merged?|match(?:ed)?)\b.* (?:if|when) .*propert.*",
    ),
    (
        Says.STAYS_IN_SYNC,
        "once a link between (?:an? )?{a} and (?:an? )?{b} is established, it will keep in sync between the two"
        " systems, regardless of where it is edited",
    ),
    (
        Says.TABLE_FOLLOWS,
        "the following properties are synchroni[sz]ed between (?:an? )?{a} and (?:an? )?{b}",
    ),
)
_END = re.compile(r"(?<=[.!?:])\s+(?=[A-Z])")


class Phrases:
    """The rules for what one heading joins."""

    def __init__(self, source: str, target: str) -> None:
        names = {"a": re.escape(source), "b": re.escape(target)}
        self._rules = [(says, re.compile(pattern.format(**names), re.IGNORECASE)) for says, pattern in _RULES]

    def sentences(self, text: str, *, line: int) -> Iterator[Sentence]:
        """The sentences of a paragraph that begins in that line, each with what it says."""
        for one in _END.split(" ".join(text.split())):
            plain = one.rstrip(".:! ")
            says = (says for says, pattern in self._rules if pattern.fullmatch(plain))
            yield Sentence(line, one, next(says, Says.UNKNOWN))


def creation(section: Section) -> tuple[str | None, str | None]:
    """What one section says of creating on the side it leads to.

    Returns:
        `always`, `when_referenced`, `never`, or None where it says nothing; and what a person has to decide, if
        anything.
    """
    for sentence in section.sentences:
        if sentence.says is Says.ON_CONDITION:
            text = "no setting says this condition; with create: never nothing is made until you decide"
            return "never", f"{text}: {sentence.text}"
    if section.says(Says.WHEN_CONNECTED):
        return "when_referenced", None
    if section.says(Says.EVERY_RECORD) or section.says(Says.CREATES):
        return "always", None
    if section.says(Says.LINK_FIRST):
        return "never", None
    return None, "it does not say which records get a counterpart"


def both_ways(section_by_side: dict[Side, tuple[str | None, str | None]]) -> tuple[str | None, list[str]]:
    """What the sections in both directions say together of `settings.create`."""
    toward_bc, asked = section_by_side.get(Side.BC, (None, None))
    toward_shop, asked_back = section_by_side.get(Side.SHOP, (None, None))
    questions = [one for one in (asked, asked_back) if one]
    if Side.SHOP not in section_by_side:
        return toward_bc, questions
    if Side.BC not in section_by_side:
        if toward_shop in ("always", "when_referenced"):
            questions.append(
                "it creates in the shop alone, which no setting says: create: never makes nothing,"
                " create: both makes records on both sides"
            )
        return "never", questions
    if (toward_bc, toward_shop) == ("always", "always"):
        return "both", questions
    if toward_shop in ("always", "when_referenced"):
        questions.append(
            f"towards the shop it says {toward_shop}, towards Business Central {toward_bc}: only create: both makes"
            " records in the shop too"
        )
    return toward_bc, questions
