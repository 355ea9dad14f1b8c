"""Settings that the app's code gives as defaults, and that may be configured since. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from shiny_labchat.errors import Refused

__all__ = ["Settings", "SettingsChange"]

_NOTHING: Mapping[str, Any] = {}


class SettingsChange(NamedTuple):
    """
    A change of settings, as an event has it.

    Parameters
    ----------
    now
        The settings that change.
    code
        What the app's code says that it did not say before.
    """

    now: Mapping[str, Any]
    code: Mapping[str, Any]

    def __bool__(self) -> bool:
        return bool(self.now or self.code)

    @property
    def data(self) -> dict[str, Any]:
        """The data of the event."""
        return {"settings": dict(self.now), "code": dict(self.code)}


class Settings(NamedTuple):
    """
    Settings by name, as JSON values.

    Parameters
    ----------
    now
        As they are.
    code
        As the app's code last gave them.
    """

    now: Mapping[str, Any] = _NOTHING
    code: Mapping[str, Any] = _NOTHING

    def get(self, name: str) -> Any:
        """A setting as it is; None: it was never given."""
        return self.now.get(name)

    def described(self, given: Mapping[str, Any]) -> SettingsChange:
        """
        What changes when the app's code gives settings.

        A setting takes effect when the code gives another value than it last gave, and never when
        another value was configured since.
        """
        code = {name: value for name, value in given.items() if _differs(self.code, name, value)}
        now = {
            name: value
            for name, value in code.items()
            if _differs(self.now, name, value) and self.now.get(name) == self.code.get(name)
        }
        return SettingsChange(now, code)

    def configured(self, given: Mapping[str, Any]) -> SettingsChange:
        """What changes when settings are configured while they are in use."""
        now = {name: value for name, value in given.items() if _differs(self.now, name, value)}
        return SettingsChange(now, _NOTHING)

    def check_fixed(self, change: SettingsChange, fixed: Collection[str]) -> None:
        """
        Refuse other values of settings that cannot change once there are people.

        Raises
        ------
        Refused
            ``fixed``: its detail names the setting, its value, and the other one.
        """
        for name in fixed:
            other = change.now.get(name, change.code.get(name))
            if name in self.now and name in {**change.code, **change.now}:
                detail = f"{name} is {self.now[name]!r} there; the app says {other!r}."
                raise Refused("fixed", detail=detail)

    def after(self, data: Mapping[str, Any]) -> Settings:
        """The settings after an event with this data, see `SettingsChange`."""
        now, code = data.get("settings", _NOTHING), data.get("code", _NOTHING)
        return Settings({**self.now, **now}, {**self.code, **code})


def _differs(known: Mapping[str, Any], name: str, value: Any) -> bool:
    return name not in known or known[name] != value
