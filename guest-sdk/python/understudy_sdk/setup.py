"""Configuration and assets of a plugin."""

from __future__ import annotations

import json
from typing import Any, Iterator, Mapping

from .conversion import ConversionError, convert_object


class ConfigError(Exception):
    """A message for the author of the study: what in the configuration or the assets is wrong, and what to write."""


class Assets(Mapping[str, bytes]):
    """The files that a study passes to a plugin: their content by the name in ``study.toml``.

    >>> assets = Assets({"weights": b"\\x01"})
    >>> assets["weights"]
    b'\\x01'
    >>> assets.get("table") is None
    True
    """

    def __init__(self, files: Mapping[str, bytes] | None = None) -> None:
        self._files = dict(files or {})

    def __getitem__(self, name: str) -> bytes:
        """The content of an asset. A missing one is a :class:`ConfigError`, which names it."""
        try:
            return self._files[name]
        except KeyError:
            known = ", ".join(f"`{name}`" for name in self._files) or "none"
            raise ConfigError(
                f"the asset `{name}` is missing, found {known}; add it to `assets` of the plugin in study.toml"
            ) from None

    def get(self, name: str, default: Any = None) -> Any:
        """The content of an asset, or ``default`` if the study has no such asset."""
        return self._files.get(name, default)

    def __contains__(self, name: object) -> bool:
        return name in self._files

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)


def read_config(text: str, type_: type | None) -> Any:
    """Converts the text of a JSON object to a dataclass. Without a dataclass, any key is an error.

    :raises ConfigError: if a key is unknown or missing, or a value has another type.
    """
    value = json.loads(text)
    if type_ is None:
        if value:
            key = next(iter(value))
            raise ConfigError(f"config: unknown key `{key}`; the plugin has no configuration, so remove it")
        return None
    try:
        return convert_object(value, type_, "")
    except ConversionError as error:
        raise ConfigError(f"config: {error}") from None
    except ValueError as error:
        # Raised by `__post_init__`.
        raise ConfigError(f"config: {error}") from error
