"""The shape of the code, measured: bodies, files, arguments, nodes."""

from __future__ import annotations

import ast
import io
import statistics
import tokenize
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "touchstone"
FILES = sorted(SOURCE.rglob("*.py"))
Function = ast.FunctionDef | ast.AsyncFunctionDef


def _functions() -> list[tuple[str, Function, int]]:
    found = []
    for path in FILES:
        text = path.read_text()
        code_lines, name = _code_lines(text), path.relative_to(SOURCE)
        nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, Function)]
        found += [(f"{name}:{node.name}", node, _body_length(node, code_lines)) for node in nodes]
    return found


def _code_lines(text: str) -> set[int]:
    """Lines that carry code: no blanks, no comments alone."""
    skipped = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in skipped:
            lines.update(range(token.start[0], token.end[0] + 1))
    return lines


def _body_length(node: Function, code_lines: set[int]) -> int:
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    if not body:
        return 0
    return sum(line in code_lines for line in range(body[0].lineno, (body[-1].end_lineno or 0) + 1))


FUNCTIONS = _functions()


def test_bodies_are_short() -> None:
    lengths = sorted(length for _, _, length in FUNCTIONS)
    too_long = [name for name, _, length in FUNCTIONS if length > 60]
    assert not too_long
    assert statistics.median(lengths) <= 8
    assert lengths[int(0.9 * len(lengths))] <= 30


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_files_hold_one_idea(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= (120 if path.name == "nodes.py" else 400)
    assert path.stem not in {"utils", "helpers", "common", "core"}


def test_functions_take_few_positional_arguments() -> None:
    # Kernels are called by position alone: numba knows no keyword-only arguments.
    offenders = [name for name, node, _ in FUNCTIONS if _n_positional(node) > 5 and "_kernels" not in name]
    assert not offenders


def _n_positional(node: Function) -> int:
    return len([argument for argument in node.args.posonlyargs + node.args.args if argument.arg not in {"self", "cls"}])


def test_every_module_says_what_it_exports() -> None:
    wired = {"settings.py", "nodes.py"}
    silent = [
        path for path in FILES if path.name not in wired and "__all__" not in path.read_text() and ast.parse(path.read_text()).body[1:]
    ]
    assert not silent
