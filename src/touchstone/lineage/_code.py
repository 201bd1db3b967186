"""Which code decides a result: the import closure of the modules that run, and its hash."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping

from touchstone.errors import LineageError, nearest
from touchstone.lineage._canonical import canonical_json, digest

__all__ = ["closure", "code_hash"]


def closure(sources: Mapping[str, str], roots: Iterable[str]) -> tuple[str, ...]:
    """Every module that importing the roots may load, found by reading the code and not by running it.

    Imports inside functions and under ``TYPE_CHECKING`` count; ``from a.b import c`` counts ``a.b.c`` where that is a module; the
    packages above a module count with their ``__init__``; ``import_module("a.b")`` counts when the name is written out.

    Parameters
    ----------
    sources : module name → its text, a package under its own name; modules that are not here (other libraries) are passed over.
    roots : modules to start from.

    Returns
    -------
    Sorted module names, roots included.

    Raises
    ------
    LineageError
        A root that is not among the sources, or a text that does not parse.
    """
    found: set[str] = set()
    waiting = sorted(roots)
    for root in waiting:
        if root not in sources:
            raise LineageError(f"A root of the import closure must be a known module, but got '{root}': {nearest(root, sources)}.")
    while waiting:
        module = waiting.pop()
        if module in found:
            continue
        found.add(module)
        waiting.extend(name for name in _loads(module, sources) if name in sources)
    return tuple(sorted(found))


def code_hash(contents: Mapping[str, bytes | str]) -> str:
    """SHA-256 over the sorted (path, content hash) pairs of a set of files.

    Parameters
    ----------
    contents : path below the project, with forward slashes → the file's bytes, or their SHA-256 as 64 hexadecimal characters.
    """
    pairs = {path: digest(held) if isinstance(held, bytes) else held for path, held in contents.items()}
    return digest(canonical_json(sorted(pairs.items())).encode())


def _loads(module: str, sources: Mapping[str, str]) -> Iterator[str]:
    yield from _with_parents(module)
    try:
        tree = ast.parse(sources[module])
    except SyntaxError as error:
        raise LineageError(f"The import closure needs code that parses, but '{module}' does not: {error}.") from None
    is_package = any(name.startswith(f"{module}.") for name in sources)
    for node in ast.walk(tree):
        for name in _imported(node, module, is_package=is_package):
            yield from _with_parents(name)


def _imported(node: ast.AST, module: str, *, is_package: bool) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = _absolute(node, module, is_package=is_package)
        yield base
        yield from (f"{base}.{alias.name}" for alias in node.names)
    elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if called == "import_module":
            yield str(node.args[0].value)


def _absolute(node: ast.ImportFrom, module: str, *, is_package: bool) -> str:
    if node.level == 0:
        return node.module or ""
    parts = module.split(".")
    above = parts[: len(parts) - node.level + (1 if is_package else 0)]
    return ".".join([*above, node.module] if node.module else above)


def _with_parents(name: str) -> Iterator[str]:
    parts = name.split(".")
    yield from (".".join(parts[:end]) for end in range(1, len(parts) + 1))
