"""The entity sets that are described: a file each, packaged or the user's own.

A file of the user's folder describes a further set, or one of the packaged ones otherwise.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from talk_pipeline.flows.loading import FlowError, Flows, mistake, read_yaml, validated
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow, Part
from talk_pipeline.systems.businesscentral.description import EntitySet, Records

PACKAGED = Path(__file__).parent / "described"


class Entities(Mapping[str, EntitySet]):
    """The described entity sets, by the name flows have for them."""

    def __init__(self, sets: Mapping[str, EntitySet]) -> None:
        self._sets = dict(sets)

    def __getitem__(self, name: str) -> EntitySet:
        return self._sets[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._sets)

    def __len__(self) -> int:
        return len(self._sets)

    def of(self, flow: Flow, part: Part | None = None) -> Records | None:
        """What is described of a flow's record, or of its children."""
        described = self._sets.get(flow.businesscentral.entity)
        if part is None or part.parent is None or described is None:
            return described
        return described.children.get(part.paths[Side.BC])

    def used_by(self, flows: Flows) -> Sequence[EntitySet]:
        """The sets that flows read, and those in which their records go on or are archived."""
        sides = [flow.businesscentral for flow in flows.values()]
        names = [name for one in sides for name in (one.entity, *(other.entity for other in one.elsewhere))]
        return [self._sets[name] for name in dict.fromkeys(names)]


def files_of(folder: Path | None) -> list[Path]:
    """The descriptions there are, those that count last at the end."""
    return [*sorted(PACKAGED.glob("*.yaml")), *(sorted(folder.glob("*.yaml")) if folder else ())]


def load_entities(folder: Path | None = None) -> Entities:
    """The packaged descriptions, and those of a folder in addition or instead.

    Raises:
        FlowError: with file, line, key and what is allowed, a line for each mistake.
    """
    if folder is not None and not folder.is_dir():
        raise FlowError(f"{folder}: no such folder of descriptions (BUSINESSCENTRAL_ENTITIES_DIR)")
    found: dict[str, EntitySet] = {}
    mistakes: list[str] = []
    for file in files_of(folder):
        try:
            described = _packaged(file) if file.parent == PACKAGED else load_entity(file)
        except FlowError as error:
            mistakes.append(str(error))
        else:
            found[described.entity] = described
    if mistakes:
        raise FlowError("\n".join(mistakes))
    return Entities(found)


def load_entity(file: Path) -> EntitySet:
    """One description.

    Raises:
        FlowError: with a line for each mistake.
    """
    data, tree = read_yaml(file)
    described = validated(EntitySet, data, file=file, tree=tree)
    found = list(described.problems())
    if described.entity != file.stem:
        message = f"the file is called {file.name}, the entity {described.entity!r}: they must agree"
        found.append((("entity",), message))
    if found:
        raise FlowError("\n".join(mistake(file, tree, at=at, message=message) for at, message in found))
    return described


@lru_cache
def _packaged(file: Path) -> EntitySet:
    return load_entity(file)
