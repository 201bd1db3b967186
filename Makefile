.DEFAULT_GOAL := help
.PHONY: help setup run test lint lab serve bench calibrate

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
export PATH := $(CURDIR)/$(BIN):$(PATH)
# A folder of wheels that pip knows is passed on to uv; pip's setting is the environment's, never this file's.
export UV_FIND_LINKS ?= $(or $(PIP_FIND_LINKS),$(shell python3 -m pip config get global.find-links 2>/dev/null))
# Nothing phones home.
export DO_NOT_TRACK := 1
export KEDRO_DISABLE_TELEMETRY := 1
export BENTOML_DO_NOT_TRACK := True
export MLFLOW_DISABLE_TELEMETRY := true
export DVC_NO_ANALYTICS := 1
# The same bits on every x86-64 processor with AVX2 (docs/concepts/same-bytes.md).
export OPENBLAS_CORETYPE := Haswell
export NPY_DISABLE_CPU_FEATURES := X86_V4 AVX512_ICL AVX512_SPR
export ONEDNN_MAX_CPU_ISA := AVX2
export MKL_CBWR := AVX2
export NUMBA_CACHE_DIR ?= $(CURDIR)/.touchstone/numba
WORKERS ?= 2

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

setup: $(STAMP) ## make .venv and install requirements.lock; skipped when nothing changed

$(STAMP): requirements.lock pyproject.toml
	@test -x $(BIN)/python || python3.11 -m venv $(VENV) 2>/dev/null || python3 -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(BIN)/uv pip install --quiet --python $(BIN)/python -r requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

run: setup ## the main job: prices to verdict, report and registered candidate
	@dvc repro
	@touchstone register
	@touchstone show

lint: setup ## ruff, mypy, import contracts
	@ruff check .
	@ruff format --check .
	@mypy
	@lint-imports --no-logo

test: setup lint ## every test
	@pytest -n $(WORKERS) --dist loadscope --no-loadscope-reorder --cov --cov-report= tests
	@coverage report --include='$(DOMAIN)' --fail-under=90 --skip-covered --skip-empty
	@pytest -q --nbval notebooks/01_tour.ipynb notebooks/02_factors.ipynb --nbval-kernel-name=python3 --nbval-cell-timeout=300

DOMAIN := src/touchstone/market/*,src/touchstone/features/*,src/touchstone/labels/*,src/touchstone/splits/*,src/touchstone/audit/*,src/touchstone/evaluation/*,src/touchstone/models/*,src/touchstone/portfolio/*,src/touchstone/backtest/*,src/touchstone/plots/*,src/touchstone/lineage/*,src/touchstone/parallel.py

lab: setup ## JupyterLab with the project loaded
	@touchstone lab

serve: setup ## the champion over HTTP
	@touchstone serve

bench: setup ## benchmarks: ratios, never gates
	@python benchmarks/loop.py
	@python benchmarks/features.py
	@python benchmarks/backtest.py
	@python benchmarks/ingest.py
	@python benchmarks/scale.py
	@python benchmarks/intraday.py

calibrate: setup ## the gate on markets where the truth is known: five seeds with a planted signal, five without
	@python benchmarks/calibrate.py
