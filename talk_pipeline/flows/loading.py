"""Reading flow files: every mistake named by file, line and key, with what is allowed there.

The file's name is the flow's name. A folder of flows is a whole: references between them are checked, and
flows come out in the order in which they must run.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import takewhile
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from talk_pipeline.flows.composed import Addition, Composed, Source
from talk_pipeline.flows.dividing import contested, shared_out
from talk_pipeline.flows.leaving import leaving, unheard_of
from talk_pipeline.flows.mistakes import Location, explained
from talk_pipeline.flows.referring import across, may_take, running_order
from talk_pipeline.flows.vocabulary import Flow

PACKAGED = Path(__file__).parent


class _TwiceError(Exception):
    """A key that is there already: YAML would take the last one, and nobody would see it."""

    def __init__(self, key: yaml.ScalarNode, first: yaml.Node) -> None:
        super().__init__(
            f"{key.value}: is there already, in line {first.start_mark.line + 1}; keep one of the two"
        )
        self.line = key.start_mark.line + 1


_YAML = "tag:yaml.org,2002:"


class _Words(yaml.constructor.SafeConstructor, yaml.resolver.Resolver):
    """Reads what people write as it is written: a number is what JSON takes for one, and every key is there once.

    YAML 1.1 takes more for something else than the words they are: yes, no, on and off (NO is a country), 0420,
    1_000, 12:30 and 2026-02-30.
    """

    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag in (f"{_YAML}null", f"{_YAML}merge")]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Takes over what `<<` names, unless a key stands in the mapping twice; its own come before those taken."""
        first: dict[str, yaml.Node] = {}
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if first.setdefault(key.value, key) is not key:
                    raise _TwiceError(key, first[key.value])
                if key.tag in _PLAIN:
                    key.tag = f"{_YAML}str"
        super().flatten_mapping(node)
        if "<<" in first:  # so that it may be taken over in turn
            node.value = [*{_told_by(key): (key, value) for key, value in node.value}.values()]

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """What a node says; one that says of itself to be what it is not is a mistake in its line."""
        try:
            return super().construct_object(node, deep=deep)
        except (ValueError, ArithmeticError, LookupError) as error:
            problem = f"{node.value!r} is no {node.tag.removeprefix(_YAML)}"
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark) from error


def _told_by(key: yaml.Node) -> object:
    return key.value if isinstance(key, yaml.ScalarNode) else key


def _fraction(_: Any, node: yaml.ScalarNode) -> Decimal:
    """A number with all its digits: where it is a word, 1.10 is another one than 1.1."""
    return Decimal(node.value)


_PLAIN = {f"{_YAML}bool", f"{_YAML}int", f"{_YAML}float"}
_Words.add_implicit_resolver(f"{_YAML}bool", re.compile("^(?:true|false)$"), list("tf"))
_Words.add_implicit_resolver(f"{_YAML}int", re.compile("^-?(?:0|[1-9][0-9]*)$"), list("-0123456789"))
_Words.add_implicit_resolver(
    f"{_YAML}float", re.compile(r"^-?(?:0|[1-9][0-9]*)\.[0-9]+$"), list("-0123456789")
)
_Words.add_constructor(f"{_YAML}float", _fraction)


class _Loader(_Words, yaml.SafeLoader):
    """Tells a mistake in words, and takes its time."""


class _QuickLoader(_Words, getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Parses in C where it can: every command and every run reads these files first."""


M = TypeVar("M", bound=BaseModel)


class FlowError(ValueError):
    """One or more mistakes in flow files, a line each."""


@dataclass(frozen=True)
class Flows(Mapping[str, Flow]):
    """The flows of an installation by name; a flow comes after those it refers to."""

    ordered: tuple[Flow, ...]

    def __getitem__(self, name: str) -> Flow:
        for flow in self.ordered:
            if flow.name == name:
                return flow
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return (flow.name for flow in self.ordered)

    def __len__(self) -> int:
        return len(self.ordered)

    def with_references(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """The named flows and all they refer to, in running order."""
        wanted: set[str] = set()
        pending = list(names)
        while pending:
            name = pending.pop()
            if name not in wanted:
                wanted.add(name)
                pending += self[name].refers_to
        return tuple(name for name in self if name in wanted)

    def reads_after(self, flow: Flow) -> tuple[Flow, ...]:
        """The flows before this one that make records in Business Central which it may take for its own."""
        before = takewhile(lambda other: other.name != flow.name, self.ordered)
        return tuple(other for other in before if may_take(flow, other))

    @classmethod
    def in_order(cls, flows: dict[str, Flow]) -> "Flows":
        """These flows, each after those it refers to."""
        return cls(tuple(running_order(flows)))

    def chosen(self, names: tuple[str, ...]) -> "Flows":
        """These flows alone.

        Raises:
            FlowError: one is not there, or is referred to and not chosen.
        """
        for name in names:
            if name not in self:
                raise FlowError(f"flows: no flow {name!r}; there are: {', '.join(self)}")
            if lacking := [other for other in self[name].refers_to if other not in names]:
                raise FlowError(f"flows: {name} refers to {', '.join(lacking)}: choose that too")
        return Flows(tuple(flow for flow in self.ordered if flow.name in names))


def load_flows(folder: Path | None = None) -> Flows:
    """The flows of a folder, by default the packaged ones.

    Raises:
        FlowError: the folder holds none, or any file has a mistake.
    """
    folder = folder or PACKAGED
    if not folder.is_dir():
        raise FlowError(f"{folder}: no such folder of flow files (TALK_FLOWS_DIR)")
    files = sorted(folder.glob("*.yaml"))
    mistakes = [
        f"{one}: would not be read: the files of flows are called .yaml; rename it, or move it away"
        for one in sorted(folder.iterdir())
        if one.suffix.lower() in (".yml", ".yaml") and one.suffix != ".yaml"
    ]
    if not files and not mistakes:
        raise FlowError(f"{folder}: holds no flow file (*.yaml)")
    flows: dict[str, Flow] = {}
    sources: list[Source] = []
    for file in files:
        try:
            sources.append(_source(file))
        except FlowError as error:
            mistakes.append(str(error))
    if not mistakes:
        mistakes += _strangers(sources)
    for one in sources if not mistakes else ():
        if isinstance(one.says, Flow):
            composed = Composed([one, *(other for other in sources if _adds_to(other) == one.says.name)])
            mistakes += _problems(composed)
            flows[one.says.name] = composed.flow
    if not mistakes:
        mistakes = [*across(folder, flows), *contested(folder, flows), *unheard_of(folder, flows)]
    if mistakes:
        raise FlowError("\n".join(mistakes))
    return Flows.in_order(leaving(shared_out(flows)))


def load_flow(file: Path) -> Flow:
    """One flow file.

    Raises:
        FlowError: with a line for each mistake.
    """
    source = _source(file)
    if not isinstance(source.says, Flow):
        raise FlowError(f"{file}: is an addition to {source.says.adds_to}, and no flow by itself")
    if mistakes := list(_problems(Composed([source]))):
        raise FlowError("\n".join(mistakes))
    return source.says


def composed_in(folder: Path, name: str) -> Composed:
    """A flow that was loaded from a folder, with the files that say it."""
    sources = [_source(file) for file in sorted(folder.glob("*.yaml"))]
    own = next(one for one in sources if isinstance(one.says, Flow) and one.says.name == name)
    return Composed([own, *(one for one in sources if _adds_to(one) == name)])


def _source(file: Path) -> Source:
    data, tree = read_yaml(file, composed=True)
    if isinstance(data, dict) and "adds_to" in data:
        return Source(file, tree, validated(Addition, data, file=file, tree=tree))
    flow = validated(Flow, data, file=file, tree=tree)
    if flow.name != file.stem:
        message = f"the file is called {file.name}, the flow {flow.name!r}: they must agree"
        raise FlowError(mistake(file, tree, at=("flow",), message=message))
    return Source(file, tree, flow)


def _adds_to(source: Source) -> str | None:
    return source.says.adds_to if isinstance(source.says, Addition) else None


def _strangers(sources: Sequence[Source]) -> Iterator[str]:
    """Additions to flows that are not there."""
    known = [one.says.name for one in sources if isinstance(one.says, Flow)]
    for one in sources:
        if (name := _adds_to(one)) and name not in known:
            message = f"there is no flow {name!r} in this folder; there are: {', '.join(known)}"
            yield mistake(one.file, one.tree, at=("adds_to",), message=message)


def _problems(composed: Composed) -> Iterator[str]:
    """What is wrong with a flow as a whole, in the file that says it."""
    found = list(composed.problems())
    for source, at, message in found:
        yield mistake(source.file, source.tree, at=at, message=message)
    for at, message in composed.flow.problems() if not found else ():
        source, at = composed.place(at)
        yield mistake(source.file, source.tree, at=at, message=message)


def stamp(file: Path) -> tuple[Path, int, int, int]:
    """What tells a file from an edited one."""
    seen = file.stat()
    return file, seen.st_ino, seen.st_mtime_ns, seen.st_size


def read_yaml(file: Path, *, composed: bool = False) -> tuple[Any, yaml.Node | None]:
    """A YAML file's content, and its tree for finding lines.

    Args:
        file: the file.
        composed: its words are compared with values, and so are read in their Unicode form.

    Raises:
        FlowError: unreadable, or not YAML.
    """
    try:
        text = file.read_text(encoding="utf-8")
        text = unicodedata.normalize("NFC", text) if composed else text
        tree = _composed(text)
        return _Loader("").construct_document(tree) if tree else None, tree
    except UnicodeDecodeError as error:
        raise FlowError(f"{file}: is no text in UTF-8 (byte {error.start + 1})") from error
    except OSError as error:
        raise FlowError(f"{file}: cannot be read: {error.strerror}") from error
    except _TwiceError as error:
        raise FlowError(f"{file}:{error.line}: {error}") from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise FlowError(f"{file}:{line}: holds U+{error.character:04X}, which YAML does not allow") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise FlowError(f"{file}:{line}: not YAML: {error.problem or error}") from error
    except yaml.YAMLError as error:
        raise FlowError(f"{file}: not YAML: {error}") from error


def _composed(text: str) -> yaml.Node | None:
    try:
        return yaml.compose(text, Loader=_QuickLoader)
    except yaml.YAMLError:
        return yaml.compose(text, Loader=_Loader)


def validated(model: type[M], data: Any, *, file: Path, tree: yaml.Node | None) -> M:
    """The data as a model.

    Raises:
        FlowError: with file, line, key, what is wrong and what is allowed, a line for each mistake.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        found = explained(model, error.errors()).items()
        lines = [mistake(file, tree, at=at, message=message) for at, message in found]
        raise FlowError("\n".join(lines)) from error


def mistake(file: Path, tree: yaml.Node | None, *, at: Location, message: str) -> str:
    """One mistake as a person reads it: file, line, key, and what is wrong."""
    key = ".".join(str(step) for step in at) or "the file"
    return f"{file}:{_line(tree, at)}: {key}: {message}"


def _line(tree: yaml.Node | None, at: Location) -> int:
    """The line of the deepest part of a location that the file has."""
    line = 1
    for step in at:
        if isinstance(tree, yaml.SequenceNode) and isinstance(step, int) and step < len(tree.value):
            tree = tree.value[step]
            line = tree.start_mark.line + 1
            continue
        found = _entry(tree, str(step)) if isinstance(tree, yaml.MappingNode) else None
        if found is None:
            break
        line, tree = found[0].start_mark.line + 1, found[1]
    return line


def _entry(tree: yaml.MappingNode, name: str) -> tuple[yaml.Node, yaml.Node] | None:
    """A key and its value; one with dots may be written as keys within keys."""
    for key, value in tree.value:
        if key.value == name:
            return key, value
        if name.startswith(f"{key.value}.") and isinstance(value, yaml.MappingNode):
            inner = _entry(value, name.removeprefix(f"{key.value}."))
            if inner is not None:
                return inner
    return None
