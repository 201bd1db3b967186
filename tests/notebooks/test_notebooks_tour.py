"""The tour as it is stored; what it claims is asserted inside it, where `make test` runs it (nbval)."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

BOOKS = Path(__file__).parents[2] / "notebooks"
TOUR: dict[str, Any] = json.loads((BOOKS / "01_tour.ipynb").read_text(encoding="utf-8"))
FACTORS: dict[str, Any] = json.loads((BOOKS / "02_factors.ipynb").read_text(encoding="utf-8"))
CODE = ["".join(cell["source"]) for cell in TOUR["cells"] if cell["cell_type"] == "code"]


def _sections(book: dict[str, Any] = TOUR) -> dict[str, str]:
    """Code by the heading it stands under."""
    found: dict[str, str] = {}
    heading = ""
    for cell in book["cells"]:
        text = "".join(cell["source"])
        if cell["cell_type"] == "markdown" and text.startswith("## "):
            heading = text.splitlines()[0]
        if cell["cell_type"] == "code" and heading:
            found[heading] = found.get(heading, "") + text
    return found


@pytest.mark.parametrize("path", sorted(BOOKS.rglob("[!.]*.ipynb")), ids=lambda path: path.name)
def test_notebooks_are_stored_without_outputs_and_with_fixed_ids(path: Path) -> None:
    book = json.loads(path.read_text(encoding="utf-8"))
    nbformat.validate(book)
    code = [cell for cell in book["cells"] if cell["cell_type"] == "code"]
    left = [cell["id"] for cell in code if cell["outputs"] or cell["execution_count"] is not None]
    assert left == [], f"clear them: jupyter nbconvert --clear-output --inplace {path.name}"
    assert all(re.fullmatch(r"(text|code)-\d\d", cell["id"]) for cell in book["cells"]), "an editor's random ids make noise in diffs"
    assert book["metadata"]["kernelspec"]["name"] == "python3"


@pytest.mark.parametrize(("heading", "code"), [*_sections().items(), *_sections(FACTORS).items()])
def test_every_section_asserts_its_claim(heading: str, code: str) -> None:
    assert "assert" in code


def test_the_walk_is_complete_and_in_order() -> None:
    steps = [heading.removeprefix("## ").partition(":")[0] for heading in _sections()]
    assert steps == ["Data", "Features", "Audit", "Labels", "Splits", "Model", "Scores", "Backtest", "Verdict", "One path"]


def test_the_essay_is_short_and_leaves_the_project_as_it_is() -> None:
    code = [cell for cell in FACTORS["cells"] if cell["cell_type"] == "code"]
    assert len(FACTORS["cells"]) <= 12
    assert "save_factor(" not in "".join("".join(cell["source"]) for cell in code)
    assert [line for line in "".join(code[0]["source"]).splitlines() if line][1].startswith("arithmetic.pin()")


def test_arithmetic_is_pinned_before_numpy_loads() -> None:
    first = CODE[0]
    assert first.index("arithmetic.pin()") < first.index("import numpy")


def test_it_calls_the_package_and_reads_no_files() -> None:
    reads = re.findall(r"\bopen\(|read_(?:csv|parquet|json|text|bytes)\(", "\n".join(CODE))
    assert reads == []
