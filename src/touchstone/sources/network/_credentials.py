"""Keys of a vendor: from the environment or from a file that git does not keep, and never into a message."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from touchstone.errors import ConfigError, name_few

__all__ = ["CREDENTIALS_FILE", "Keys", "find_keys"]

CREDENTIALS_FILE = Path("conf") / "local" / "credentials.yml"
_HIDDEN = "***"


@dataclass(frozen=True, repr=False)
class Keys(Mapping[str, str]):
    """Keys by name; they do not show when printed."""

    values_by_name: Mapping[str, str]

    def __getitem__(self, name: str) -> str:
        return self.values_by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_by_name)

    def __len__(self) -> int:
        return len(self.values_by_name)

    def __repr__(self) -> str:
        return f"Keys({', '.join(self)})"

    def scrub(self, text: str) -> str:
        """The text with every key blotted out."""
        for value in self.values():
            text = text.replace(value, _HIDDEN)
        return text

    def occur_in(self, payload: bytes) -> bool:
        """Whether a payload holds a key."""
        return any(value.encode() in payload for value in self.values())


def find_keys(source: str, names: tuple[str, ...], file: Path) -> Keys:
    """Look a vendor's keys up; the environment goes before the file.

    Parameters
    ----------
    source : str
        Short name; also the section of the file that may hold its keys, as ``FRED_API_KEY`` or, without the source, ``api_key``.
    names : tuple of str
        Environment names.
    file : Path
        The project's `conf/local/credentials.yml`; it need not exist.

    Raises
    ------
    ConfigError
        A key that neither place has, or a file that is no mapping. No value is ever shown.
    """
    written = _written(source, file) if names and file.is_file() else {}
    found = {name: os.environ.get(name) or written.get(name, "") for name in names}
    missing = [name for name, value in found.items() if not value]
    if missing:
        raise ConfigError(
            f"Source '{source}' needs {name_few(missing)}: set it in the environment or write it into {CREDENTIALS_FILE} ({missing[0]}: …)."
        )
    return Keys(found)


def _written(source: str, file: Path) -> dict[str, str]:
    """Flat names and those of the source's section, all as environment names."""
    content = _content(file)
    section = content.get(source) or {}
    if not isinstance(section, dict):
        raise ConfigError(f"{CREDENTIALS_FILE} must hold a mapping under '{source}', but holds something else: write NAME: key.")
    prefix = f"{source}_".upper()
    named = {name if str(name).startswith(prefix) else f"{prefix}{name}".upper(): value for name, value in section.items()}
    return {str(name): str(value) for name, value in {**content, **named}.items() if isinstance(value, str | int)}


def _content(file: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(file.read_text()) or {}
    except yaml.YAMLError:  # its message quotes the line, and with it the key
        raise ConfigError(f"{CREDENTIALS_FILE} must be YAML, but it cannot be read: write NAME: key, one a line.") from None
    if not isinstance(content, dict):
        raise ConfigError(f"{CREDENTIALS_FILE} must be a mapping of names to keys, but is not: write NAME: key, one a line.")
    return content
