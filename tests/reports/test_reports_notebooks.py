"""Any notebook becomes a report: parameters typed by its own cell, errors in one sentence, bytes that do not change."""

from __future__ import annotations

import logging
from pathlib import Path

import nbformat
import pytest

from touchstone import reports
from touchstone.errors import ConfigError, LineageError, TouchstoneError

DECLARED = """run_id = ''  # which run
n: int = 3
since: "date" = "2020-01-01"
names: list[str] = []
sizes: "list[int]" = [1]
ratio = 2.5
flag = True
table = {"a": 1}"""


def write(folder: Path, *cells: str, name: str = "small", parameters: str = DECLARED) -> Path:
    code = nbformat.v4.new_code_cell
    declared = [code(parameters, metadata={"tags": ["parameters"]})] if parameters else []
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# Small & short"), *declared, *map(code, cells)], metadata=kernel)
    path = folder / f"{name}.ipynb"
    nbformat.write(made, path)
    return path


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    return write(tmp_path, "print(n)")


def test_values_are_typed_by_annotation_or_default(notebook: Path) -> None:
    given = ["n=-7", "since=2021-05-06", "names=a, b", "sizes=1,2", "ratio=1e-3", "flag=No", "run_id=a=b"]

    assert reports.typed_parameters(given, notebook) == {
        "n": -7,
        "since": "2021-05-06",
        "names": ["a", "b"],
        "sizes": [1, 2],
        "ratio": 0.001,
        "flag": False,
        "run_id": "a=b",
    }


@pytest.mark.parametrize(
    ("pair", "sentence"),
    [
        ("n", "key=value"),
        ("flg=true", "did you mean 'flag'"),
        ("n=1.5", "'n' must be int, but got '1.5'"),
        ("n=__import__('os')", "must be int"),
        ("ratio=much", "must be float"),
        ("since=yesterday", "a date such as 2020-12-31"),
        ("flag=perhaps", "true or false"),
        ("sizes=1,x", "must be list"),
        ("table=1", "set it in the notebook"),
    ],
)
def test_a_value_that_does_not_fit_is_one_sentence(notebook: Path, pair: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as raised:
        reports.typed_parameters([pair], notebook)
    assert sentence in str(raised.value)


def test_a_parameter_comes_once_and_a_notebook_may_have_none(notebook: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="came twice"):
        reports.typed_parameters(["n=1", "n=2"], notebook)
    with pytest.raises(ConfigError, match="tag a cell 'parameters'"):
        reports.typed_parameters(["n=1"], write(tmp_path, "1", name="bare", parameters=""))


def test_a_wrong_name_answers_with_the_nearest_and_the_folder_stays_shut(notebook: Path) -> None:
    assert reports.find_report("small", notebook.parent) == notebook
    with pytest.raises(ConfigError, match="did you mean 'small'"):
        reports.find_report("smal", notebook.parent)
    with pytest.raises(ConfigError, match="none named"):
        reports.find_report("../small", notebook.parent / ".")


def test_an_executed_notebook_is_canonical_and_runs_where_it_is_told(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    before = {name: logging.getLogger(name).level for name in ("papermill", "traitlets", "nbclient")}
    path = write(
        tmp_path, "import os, sys, warnings\nprint(n, names)\nwarnings.warn('beside the point')\nos.path.basename(os.getcwd())", "None"
    )
    (tmp_path / "there").mkdir()

    executed = reports.execute(path, {"n": 5, "names": ["x"]}, cwd=tmp_path / "there")

    assert [cell.id for cell in executed.cells] == [f"cell-{place:03d}" for place in range(5)]
    assert "5 ['x']" in executed.cells[3].outputs[0].text
    assert executed.cells[3].outputs[-1].data["text/plain"] == "'there'"
    written = nbformat.writes(executed)
    for transient in ("papermill", "iopub", "language_info", "2.7.0"):
        assert transient not in written
    nbformat.validate(executed)
    page = reports.to_html(executed).decode()
    assert "beside the point" not in page, "what goes to stderr names files of the machine"
    assert "<title>Small &amp; short · Touchstone</title>" in page
    assert {name: logging.getLogger(name).level for name in before} == before
    assert capfd.readouterr().err == ""


def test_errors_of_the_house_come_out_as_themselves_and_others_name_the_cell(tmp_path: Path) -> None:
    ours = write(tmp_path, "from touchstone.errors import LineageError\nraise LineageError('no such run')", name="ours")
    theirs = write(tmp_path, "1", "1 / 0", name="theirs")

    with pytest.raises(LineageError, match=r"^no such run$"):
        reports.execute(ours, {}, cwd=tmp_path)
    with pytest.raises(TouchstoneError, match="cell 3 of 'theirs' raised ZeroDivisionError"):
        reports.execute(theirs, {}, cwd=tmp_path)


def test_an_unknown_parameter_is_refused_before_anything_runs(notebook: Path) -> None:
    with pytest.raises(ConfigError, match="no parameter 'nn'"):
        reports.execute(notebook, {"nn": 1}, cwd=notebook.parent)


def made(*outputs: dict[str, object], text: str = "") -> nbformat.NotebookNode:
    cell = nbformat.v4.new_code_cell("secret_code()", outputs=[nbformat.v4.new_output("display_data", output) for output in outputs])
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text), cell])


@pytest.mark.parametrize(
    "html",
    [
        '<script src="https://cdn.example/x.js"></script>',
        '<img src="//cdn.example/x.png">',
        '<link href="http://cdn.example/x.css">',
        '<iframe src=" https://cdn.example/x">',
        "<style>@import 'https://cdn.example/x.css';</style>",
        "<div style=\"background: url('//cdn.example/x.png')\">",
        '<svg><image xlink:href="https://cdn.example/x.png"/></svg>',
    ],
)
def test_a_page_that_would_need_the_network_is_refused(html: str) -> None:
    with pytest.raises(ConfigError, match=r"cdn\.example/x"):
        reports.to_html(made({"text/html": html}))


def test_a_page_shows_the_best_form_of_each_output_and_links_may_be_followed() -> None:
    page = reports.to_html(
        made(
            {"text/html": "<b>rich</b>", "text/plain": "poor"},
            {"image/png": "iVBORw0\nKGgo=", "text/plain": "<Figure>"},
            {"image/svg+xml": '<svg viewBox="0 0 1 1"></svg>'},
            {"application/javascript": "alert(1)", "text/plain": "said in words"},
            {"text/markdown": "*leaning*"},
            text="See [the paper](https://example.org/paper).",
        )
    ).decode()

    for shown in (
        "<b>rich</b>",
        "data:image/png;base64,iVBORw0KGgo=",
        'viewBox="0 0 1 1"',
        "said in words",
        "<em>leaning</em>",
        "example.org/paper",
    ):
        assert shown in page
    for hidden in ("secret_code", "poor", "alert(1)", "&lt;Figure&gt;"):
        assert hidden not in page


def test_a_notebook_that_names_no_kernel_runs_in_this_python(tmp_path: Path) -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("print(2 + 2)", id="sum")])
    nbformat.write(notebook, tmp_path / "bare.ipynb")
    executed = reports.execute(tmp_path / "bare.ipynb", {}, cwd=tmp_path)
    assert executed.cells[0].outputs[0].text == "4\n"
