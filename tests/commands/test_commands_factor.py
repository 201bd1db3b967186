"""`touchstone factor`: a factor's way from a notebook into the project, and from there into every run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from touchstone.cli import cli
from touchstone.commands import _factor_save, factor_module, save_factor
from touchstone.commands._factor_source import find_definition
from touchstone.errors import ConfigError, LookAheadError
from touchstone.stages import code_files

INSIDE = Path("src/touchstone/features/custom")
IMPORTS = """%load_ext touchstone.notebook
import math, numpy as np
import pandas as pd
import os.path, os
from touchstone.features import factor
"""
TREND = '''%time prepared = 1
@factor(fields=["close", "volume"], lookback=21)
def price_volume_trend(close: pd.DataFrame, volume: pd.DataFrame) -> pd.DataFrame:
    """Returns weighted by volume."""
    change = np.log(close).diff()   # as I like it

    return (change * volume).rolling(20).sum() / volume.rolling(20).sum()
'''
CELLS = [IMPORTS, "%%bash\nls -l && echo 'no python'", TREND, "price_volume_trend"]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with nothing in it but the folder of saved factors, as if Touchstone ran from it."""
    (tmp_path / "params.yaml").touch()
    (tmp_path / INSIDE).mkdir(parents=True)
    (tmp_path / INSIDE / "__init__.py").touch()
    monkeypatch.setattr(_factor_save, "custom_folder", lambda root: root / INSIDE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    return tmp_path


def notebook(path: Path, cells: list[str]) -> Path:
    code = [{"cell_type": "code", "source": cell.splitlines(keepends=True), "metadata": {}, "outputs": []} for cell in cells]
    path.write_text(json.dumps({"cells": [{"cell_type": "markdown", "source": ["# Study"]}, *code], "metadata": {}, "nbformat": 4}))
    return path


def factor(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["factor", *arguments])


def test_the_definition_stands_alone() -> None:
    found = find_definition("price_volume_trend", CELLS)
    assert found.body == (
        "import numpy as np\nimport pandas as pd\nfrom touchstone.features import factor\n\n"
        '__all__ = ["price_volume_trend"]\n\n\n'
        '@factor(fields=("close", "volume"), lookback=21)\n' + TREND.partition("lookback=21)\n")[2]
    )
    assert found.modules == ("numpy", "pandas")


def test_where_nothing_is_under_factor_the_error_says_so() -> None:
    with pytest.raises(ConfigError, match=r"none defines 'trend': there is no @factor at all\.$"):
        find_definition("trend", ["def trend(close):\n    return close"])
    with pytest.raises(ConfigError, match=r"none defines 'price_trend': .*price_volume_trend"):
        find_definition("price_trend", CELLS)


def test_one_field_alone_needs_no_tuple() -> None:
    body = find_definition(
        "f", ["from touchstone.features import factor\n@factor(fields='close', lookback=1)\ndef f(close): return -close"]
    ).body
    assert '@factor(fields=("close",), lookback=1)\n' in body


def test_the_module_can_be_read_before_anything_is_written(place: Path) -> None:
    module = factor_module("price_volume_trend", CELLS, origin="study.ipynb")
    assert list((place / INSIDE).iterdir()) == [place / INSIDE / "__init__.py"]
    saved = save_factor("price_volume_trend", CELLS, origin="study.ipynb", root=place)
    assert (place / saved.path).read_text() == module
    with pytest.raises(LookAheadError, match="'price_volume_trend' of "):
        factor_module("price_volume_trend", [IMPORTS, TREND.replace(".diff()", ".diff(-1)")], origin="study.ipynb")


def test_the_last_definition_counts_and_the_last_import() -> None:
    later = TREND.replace("np.log", "jump").replace("lookback=21", "lookback=22, cross_sectional=False")
    found = find_definition("price_volume_trend", [IMPORTS, TREND, "jump = 1", "from numpy import log as jump", later])
    assert "from numpy import log as jump\n" in found.body
    assert "lookback=22)" in found.body
    assert "numpy as np" not in found.body


def test_a_factor_is_found_by_the_name_that_it_declares() -> None:
    cell = (
        "@features.factor(name='best', fields=('close',), lookback=1, cross_sectional=True)\ndef f(close):\n    return close.rank(axis=1)\n"
    )
    found = find_definition("best", [cell])
    assert '@factor(fields=("close",), lookback=1, cross_sectional=True)\ndef best(close):\n' in found.body


def test_submodules_are_imported_as_they_were() -> None:
    body = "    import json\n    return close * scipy.stats.norm.cdf(0) * scipy.special.erf(0)\n"
    cell = "@factor(fields=('close',), lookback=1)\ndef f(close):\n" + body
    found = find_definition("f", ["import scipy.stats", "import scipy.special", cell])
    assert found.body.startswith("import scipy.special\nimport scipy.stats\n")
    assert found.modules == ("json", "scipy.special", "scipy.stats")


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        ([IMPORTS, TREND.replace("price_volume_trend", "price_volume_trends")], "did you mean 'price_volume_trends'"),
        (
            [IMPORTS, "WINDOW = 20\ndef weigh(x): return x", TREND.replace("np.log(close)", "weigh(close)").replace("20", "WINDOW")],
            "takes WINDOW, weigh from",
        ),
        ([IMPORTS, "np = 3", TREND], "takes np from the code around it"),
        (["from touchstone.features import factor", TREND], "takes np, pd from"),
        ([IMPORTS, TREND.replace("lookback=21", "lookback=WINDOW + 1")], r"says lookback=WINDOW \+ 1: put the value there"),
        ([IMPORTS, "from my_own import better", TREND.replace("np.log", "better")], "imports my_own: move that code"),
        ([IMPORTS, TREND.replace("    change", "    import my_own.x\n    change", 1)], "imports my_own.x: move that code"),
    ],
)
def test_what_does_not_stand_alone_is_named(place: Path, cells: list[str], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        save_factor("price_volume_trend", cells, origin="study.ipynb", root=place)
    assert [path.name for path in (place / INSIDE).iterdir()] == ["__init__.py"]


def test_a_leak_is_not_saved(place: Path) -> None:
    with pytest.raises(LookAheadError, match="'price_volume_trend' of"):
        save_factor("price_volume_trend", [IMPORTS, TREND.replace(".diff()", ".diff(-1)")], origin="study.ipynb", root=place)
    assert not (place / INSIDE / "price_volume_trend.py").exists()


def test_saving_is_told_and_listed(place: Path) -> None:
    told = factor("save", "price_volume_trend", "--from", str(notebook(place / "study.ipynb", CELLS)))
    assert told.exit_code == 0, told.output
    assert told.output == (
        "saved: src/touchstone/features/custom/price_volume_trend.py; name 'price_volume_trend' in features.sets to use it in a run\n"
    )
    assert factor("list").output == "price_volume_trend  from study.ipynb\n"
    path = place / INSIDE / "price_volume_trend.py"
    text = path.read_text()
    assert "from: study.ipynb, cell " in text
    assert str(place) not in text
    path.write_text(text.replace("rolling(20)", "rolling(19)"))
    assert factor("list").output == "price_volume_trend  from study.ipynb  changed since it was saved: save it again\n"


def test_the_same_source_gives_the_same_bytes_and_another_is_not_lost_unasked(place: Path) -> None:
    path = place / INSIDE / "price_volume_trend.py"
    save_factor("price_volume_trend", CELLS, origin="study.ipynb", root=place)
    first = path.read_bytes()
    path.unlink()
    save_factor("price_volume_trend", CELLS, origin="study.ipynb", root=place)
    assert path.read_bytes() == first
    save_factor("price_volume_trend", CELLS, origin="copy.ipynb", root=place)
    assert path.read_bytes() == first

    other = [IMPORTS, TREND.replace("rolling(20)", "rolling(15)")]
    with pytest.raises(ConfigError, match=r"another version \(study.ipynb\): say --force"):
        save_factor("price_volume_trend", other, origin="study.ipynb", root=place)
    assert path.read_bytes() == first
    assert save_factor("price_volume_trend", other, origin="study.ipynb", root=place, force=True).is_as_saved
    assert b"rolling(15)" in path.read_bytes()


def test_a_saved_module_can_be_saved_again_after_a_change_by_hand(place: Path) -> None:
    save_factor("price_volume_trend", CELLS, origin="study.ipynb", root=place)
    path = place / INSIDE / "price_volume_trend.py"
    path.write_text(path.read_text().replace("rolling(20)", "rolling(18)"))
    assert factor("save", "price_volume_trend", "--from", str(path)).exit_code == 0
    assert factor("list").output == "price_volume_trend  from price_volume_trend.py\n"
    assert "rolling(18)" in path.read_text()


def test_a_notebook_that_is_none_is_refused(place: Path) -> None:
    (place / "torn.ipynb").write_text("{")
    told = factor("save", "x", "--from", "torn.ipynb")
    assert told.exit_code == 1
    assert "torn.ipynb is not" in told.output


def test_a_touchstone_that_runs_from_elsewhere_says_how_to_mend_it(tmp_path: Path) -> None:
    (tmp_path / INSIDE).mkdir(parents=True)
    with pytest.raises(ConfigError, match=r"runs from elsewhere: install the project itself"):
        save_factor("price_volume_trend", CELLS, origin="study.ipynb", root=tmp_path)
    assert list((tmp_path / INSIDE).iterdir()) == []


_FRESH = """
from touchstone import arithmetic; arithmetic.pin()
import sys
from touchstone import features
from touchstone.features._factor_market import awkward_market
assert "price_volume_trend" in features.list_sets()
assert "touchstone.features.custom.price_volume_trend" not in sys.modules
bars = awkward_market(21).bars
print(features.compute(bars, ["price_volume_trend"]).notna().sum().item())
"""


def test_from_the_notebook_to_a_fresh_process_and_into_the_code_of_a_run(project: Path) -> None:
    book = notebook(project / "notebooks" / "study.ipynb", CELLS)
    environment = {**os.environ, "PYTHONPATH": str(project / "src")}
    environment.pop("DVC_ROOT", None)
    before, others = code_files(project), code_files(project, ["training"])

    saved = subprocess.run(
        [sys.executable, "-c", "from touchstone.cli import main; main()", "factor", "save", "price_volume_trend", "--from", str(book)],
        cwd=project / "notebooks",
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert saved.returncode == 0, saved.stderr
    fresh = subprocess.run([sys.executable, "-c", _FRESH], cwd=project, env=environment, capture_output=True, text=True, check=False)
    assert fresh.returncode == 0, fresh.stderr
    assert int(fresh.stdout) > 500

    path = (INSIDE / "price_volume_trend.py").as_posix()
    assert set(code_files(project)) - set(before) == {path}
    assert set(code_files(project, ["features"])) >= {path}
    assert code_files(project, ["training"]) == others
