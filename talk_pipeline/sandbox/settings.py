"""Named alternatives: where the documentation of a service leaves a question open, each answer is a choice.

A server declares its settings as a tuple of `Setting`; tests and the control API change them while it runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Setting:
    """One question and the answers a server can give.

    Attributes:
        name: what it is called in the control API.
        default: the answer unless told otherwise.
        meaning: the question, for people.
        choices: the answers there are; without any, a value of the default's type (None allowed where the
            default is None).
    """

    name: str
    default: Any
    meaning: str
    choices: tuple[Any, ...] = ()

    def accepts(self, value: Any) -> bool:
        """Whether the value is an answer."""
        if self.choices:
            return any(value == choice and type(value) is type(choice) for choice in self.choices)
        if isinstance(self.default, bool):
            return isinstance(value, bool)
        if isinstance(self.default, float):
            return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
        return value is None or isinstance(value, str | int | float)


class Settings:
    """The answers in force on one server."""

    def __init__(self, declared: Sequence[Setting]) -> None:
        self._declared = {setting.name: setting for setting in declared}
        self._values: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        return self._values.get(name, self._declared[name].default)

    def change(self, values: Mapping[str, Any]) -> None:
        """Set some of them; raises `ValueError` and sets none when one is unknown."""
        for name, value in values.items():
            setting = self._declared.get(name)
            if setting is None:
                raise ValueError(f"there is no setting `{name}`; there are {', '.join(self._declared)}")
            if not setting.accepts(value):
                allowed = ", ".join(str(c) for c in setting.choices) or type(setting.default).__name__
                raise ValueError(f"`{name}` is one of: {allowed}; not {value!r}")
        self._values.update(values)

    def reset(self) -> None:
        """Back to the defaults."""
        self._values.clear()

    def listing(self) -> dict[str, Any]:
        """Each setting with its value, default, choices and meaning."""
        return {
            name: {
                "value": self[name],
                "default": setting.default,
                "choices": list(setting.choices),
                "meaning": setting.meaning,
            }
            for name, setting in self._declared.items()
        }
