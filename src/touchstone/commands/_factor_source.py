"""A factor's definition, found in cells of code by reading them: nothing is run."""

from __future__ import annotations

import ast
import builtins
import re
import symtable
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from touchstone.errors import ConfigError, name_few, nearest
from touchstone.lineage import digest

__all__ = ["Definition", "find_definition"]

# What a saved factor declares of itself; what it was audited on beside is the notebook's own.
_DECLARED = ("fields", "lookback", "cross_sectional", "partial_windows")
_OWN_IMPORT = "from touchstone.features import factor"


@dataclass(frozen=True)
class Definition:
    """A factor that stands alone.

    Attributes
    ----------
    name
        Name of the factor.
    body
        Code of its module: the imports that it uses, what it declares, and the function as it was written.
    modules
        Modules that this code imports, sorted.
    cell
        SHA-256 of the cell that it came from.
    """

    name: str
    body: str
    modules: tuple[str, ...]
    cell: str


@dataclass(frozen=True)
class _Cell:
    raw: str
    text: str
    statements: tuple[ast.stmt, ...]

    @classmethod
    def read(cls, raw: str) -> _Cell:
        """A cell that Python cannot read, as one of another language, has no statements."""
        lines = [line for line in raw.splitlines() if not line.lstrip().startswith(("%", "!", "?"))]
        for text in (raw, "\n".join(lines)):
            try:
                return cls(raw, text, tuple(ast.parse(text).body))
            except SyntaxError:
                continue
        return cls(raw, raw, ())


@dataclass(frozen=True)
class _Found:
    cell: _Cell
    function: ast.FunctionDef
    decorator: ast.Call

    @property
    def name(self) -> str:
        given = _keywords(self.decorator).get("name")
        return str(given.value) if isinstance(given, ast.Constant) and given.value is not None else self.function.name


def find_definition(name: str, cells: Sequence[str]) -> Definition:
    """The last definition of a factor among cells, with the imports that it uses.

    Parameters
    ----------
    name
        The factor's name: that of the function under ``@factor``, or what ``name=`` says.
    cells
        Code in the order in which it ran, magics included; a module is one cell.

    Raises
    ------
    ConfigError
        No such factor (the nearest is named), a declaration that is not written out, or names that the function takes from the
        notebook around it.
    """
    read = [_Cell.read(cell) for cell in cells]
    found = [one for cell in read for one in _factors(cell)]
    chosen = next((one for one in reversed(found) if one.name == name), None)
    if chosen is None:
        known = nearest(name, {one.name for one in found}) if found else "there is no @factor at all"
        raise ConfigError(f"A factor is saved from the cell that defines it under @factor, but none defines '{name}': {known}.")
    function = _function_source(chosen, name)
    imports = _imports_of(name, function, read)
    modules = {_module(line) for line in imports} | {_module(line) for line in _inner_imports(function)}
    body = "\n".join(
        [*sorted({*imports, _OWN_IMPORT}, key=_import_order), "", f'__all__ = ["{name}"]', "", "", _declaration(chosen), function, ""]
    )
    return Definition(name, body, tuple(sorted(modules)), digest(chosen.cell.raw.strip().encode()))


def _factors(cell: _Cell) -> Iterator[_Found]:
    for function in (statement for statement in cell.statements if isinstance(statement, ast.FunctionDef)):
        for decorator in function.decorator_list:
            if isinstance(decorator, ast.Call) and _called(decorator) == "factor":
                yield _Found(cell, function, decorator)


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _keywords(call: ast.Call) -> dict[str, ast.expr]:
    return {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg is not None}


def _declaration(found: _Found) -> str:
    declared: dict[str, Any] = {}
    for keyword, value in _keywords(found.decorator).items():
        if keyword in _DECLARED:
            try:
                declared[keyword] = ast.literal_eval(value)
            except ValueError:
                raise ConfigError(
                    f"A saved factor must write out what it declares, but '{found.name}' says {keyword}={ast.unparse(value)}: "
                    "put the value there."
                ) from None
    if "fields" in declared:
        given = declared["fields"]
        declared["fields"] = (given,) if isinstance(given, str) else tuple(given)
    return "@factor(" + ", ".join(f"{key}={_written(declared[key])}" for key in _DECLARED if declared.get(key)) + ")"


def _written(value: Any) -> str:
    if isinstance(value, tuple):
        inside = ", ".join(f'"{field}"' for field in value)
        return f"({inside},)" if len(value) == 1 else f"({inside})"
    return repr(value)


def _function_source(found: _Found, name: str) -> str:
    """The function as it was written, other decorators included, under the factor's name."""
    others = [
        f"@{ast.get_source_segment(found.cell.text, decorator)}"
        for decorator in found.function.decorator_list
        if decorator is not found.decorator
    ]
    lines = found.cell.text.splitlines()[found.function.lineno - 1 : found.function.end_lineno]
    lines[0] = re.sub(rf"def\s+{found.function.name}\b", f"def {name}", lines[0], count=1)
    return "\n".join([*others, *(line.rstrip() for line in lines)])


def _imports_of(name: str, function: str, cells: Sequence[_Cell]) -> list[str]:
    bound = _bindings(cells)
    free = sorted(_free_names(function) - set(dir(builtins)) - {name})
    lost = [each for each in free if not bound.get(each)]
    if lost:
        raise ConfigError(
            f"A saved factor must stand alone, but '{name}' takes {name_few(lost)} from the code around it: move them into the function, "
            "or import them by name from an installed module."
        )
    return [line for each in free for line in bound[each]]


def _bindings(cells: Sequence[_Cell]) -> dict[str, list[str]]:
    """For each name at the top level the imports that bind it last; none where something else does."""
    bound: dict[str, list[str]] = {}
    for statement in (statement for cell in cells for statement in cell.statements):
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            bound[statement.name] = []
            continue
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                bound[node.id] = []
            for each, line in _imported(node):
                # `import a.b` and `import a.c` bind the same name, and both are needed.
                kept = [former for former in bound.get(each, []) if former.startswith("import ") and " as " not in former]
                bound[each] = [*(former for former in kept if former != line and line.startswith(f"import {each}")), line]
    return bound


def _imported(node: ast.AST) -> Iterator[tuple[str, str]]:
    """(name that is bound, the import on a line of its own)."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield (alias.asname or alias.name.partition(".")[0]), f"import {alias.name}" + (f" as {alias.asname}" if alias.asname else "")
    elif isinstance(node, ast.ImportFrom):
        module = "." * node.level + (node.module or "")
        for alias in node.names:
            yield (alias.asname or alias.name), f"from {module} import {alias.name}" + (f" as {alias.asname}" if alias.asname else "")


def _inner_imports(function: str) -> list[str]:
    return [line for node in ast.walk(ast.parse(function)) for _, line in _imported(node)]


def _free_names(function: str) -> set[str]:
    """Names that the code looks up outside itself: in its bodies, annotations, defaults and decorators."""
    return set(_looked_up(symtable.symtable(function, "<factor>", "exec")))


def _looked_up(table: symtable.SymbolTable) -> Iterator[str]:
    is_top = table.get_type() == "module"
    yield from (symbol.get_name() for symbol in table.get_symbols() if symbol.is_referenced() and (is_top or symbol.is_global()))
    for child in table.get_children():
        yield from _looked_up(child)


def _module(line: str) -> str:
    return line.split()[1]


def _import_order(line: str) -> tuple[bool, str]:
    return line.startswith("from "), line
