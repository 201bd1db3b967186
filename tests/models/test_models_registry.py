"""Short names."""

from __future__ import annotations

import subprocess
import sys

import pytest

from touchstone.errors import ConfigError
from touchstone.models import LightGBM, Ridge, list_models, make, restore


def test_names_are_listed_sorted():
    assert list_models() == ("lightgbm", "ridge")
    assert isinstance(make("ridge"), Ridge)
    assert isinstance(make("lightgbm"), LightGBM)


@pytest.mark.parametrize("call", [lambda: make("lightgmb"), lambda: restore("lightgmb", b"")])
def test_an_unknown_name_names_the_nearest(call):
    with pytest.raises(ConfigError, match="did you mean 'lightgbm'"):
        call()


def test_seed_and_threads_are_taken_by_every_model():
    assert make("ridge", seed=5, threads=2) == make("ridge")
    assert make("lightgbm", seed=5, threads=2).seed == 5
    assert make("lightgbm", seed=5) == make("lightgbm", seed=5, threads=2)


@pytest.mark.parametrize(
    ("name", "parameters", "words"),
    [
        ("ridge", {"alpha": 0.0}, "alpha of ridge must be positive, but got 0.0"),
        ("lightgbm", {"learning_rate": 2.0}, r"learning_rate of lightgbm must lie in \[1e-06, 1\], but got 2.0"),
        ("lightgbm", {"n_trees": 0}, r"n_trees of lightgbm must lie in \[1, inf\]"),
        ("lightgbm", {"lambda_l2": float("nan")}, "lambda_l2"),
    ],
)
def test_values_out_of_range_are_refused(name, parameters, words):
    with pytest.raises(ConfigError, match=words):
        make(name, **parameters)


def test_importing_the_package_loads_neither_trees_nor_tuner():
    code = "import sys, touchstone.models; print(sorted({'lightgbm', 'optuna', 'sklearn'} & set(sys.modules)))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
