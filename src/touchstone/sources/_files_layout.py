"""Which files a path stands for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from touchstone.errors import ConfigError, SourceError

__all__ = ["Layout"]

_SUFFIXES = (".csv", ".parquet")


@dataclass(frozen=True)
class Layout:
    """Files in the order in which they are read.

    Attributes
    ----------
    root : Path
        The path that was given.
    paths : tuple of Path
        Sorted by name; of a partitioned folder, by their whole path.
    keys : tuple of str
        Names of the partitions, outermost first; empty for plain files.
    """

    root: Path
    paths: tuple[Path, ...]
    keys: tuple[str, ...] = ()

    @classmethod
    def of(cls, given: str | Path | Sequence[Path] | None) -> Layout:
        """List the files of a path, or take several files in the order in which they are given.

        Raises
        ------
        ConfigError
            No path.
        SourceError
            A path that is not there or holds no such files, or parts that are not all partitioned alike.
        """
        if given is None:
            raise ConfigError("Source 'files' must be told where the files are: give the option path (data.files.path).")
        if not isinstance(given, str | Path):
            return _several([cls.of(path) for path in given])
        root = Path(given)
        if not root.exists():
            raise SourceError(f"data.files.path must be a folder or file, but '{root}' does not exist: mend the path.")
        found = [root] if root.is_file() else sorted(entry for entry in root.iterdir() if entry.suffix in _SUFFIXES and entry.is_file())
        if found and found[0].suffix in _SUFFIXES:
            return cls(root, tuple(found))
        parts = [] if root.is_file() else sorted(path for path in root.glob("*=*/**/*.parquet") if path.is_file())
        if not parts:
            raise SourceError(f"data.files.path must hold files that end in {' or '.join(_SUFFIXES)}, but '{root}' has none.")
        return cls(root, tuple(parts), _partition_keys(root, parts))

    def values(self, path: Path) -> dict[str, str]:
        """What the folders above a file say of its rows."""
        if not self.keys:
            return {}
        return dict(part.partition("=")[::2] for part in path.relative_to(self.root).parts[:-1])


def _several(layouts: list[Layout]) -> Layout:
    """Plain files of several paths as one list; partitions have names that count from one root only."""
    if len(layouts) == 1:
        return layouts[0]
    partitioned = next((layout for layout in layouts if layout.keys), None)
    if partitioned is not None:
        raise SourceError(f"A partitioned folder is read alone, but '{partitioned.root}' was given beside others: leave those out.")
    return Layout(Path(), tuple(path for layout in layouts for path in layout.paths))


def _partition_keys(root: Path, parts: list[Path]) -> tuple[str, ...]:
    keys = {path: tuple(part.partition("=")[0] for part in path.relative_to(root).parts[:-1]) for path in parts}
    first = keys[parts[0]]
    other = next((path for path in parts if keys[path] != first), None)
    if other is not None:
        raise SourceError(
            f"A partitioned folder must be partitioned alike everywhere, but '{parts[0]}' lies under ({', '.join(first)}) and "
            f"'{other}' under ({', '.join(keys[other])}): move one of them."
        )
    return first
