"""What a notebook opens: a run and everything it left behind."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import click
import pandas as pd

from touchstone.errors import ConfigError, LineageError, nearest
from touchstone.remote import Place
from touchstone.root import data_root, enclosing_project, project_root
from touchstone.tables import Filter, read_table

__all__ = ["RunView", "load_ipython_extension", "open_data", "open_run"]

_IDENTITY = "08_reporting/identity.json"
_INGESTION = "08_reporting/records/ingestion.json"
_RECORDS = {
    "audit": "04_feature/audit.json",
    "bundle": "06_models/bundle.json",
    "identity": _IDENTITY,
    "ingestion": _INGESTION,
    "manifest": "08_reporting/manifest.json",
    "metadata": "01_raw/metadata.json",
    "metrics": "08_reporting/metrics.json",
    "plan": "04_feature/plan.json",
    "scorecard": "08_reporting/scorecard.json",
    "trial_count": "08_reporting/trial_count.json",
    "tuned": "06_models/tuned.json",
    "verdict": "08_reporting/verdict.json",
}
_TABLES = {
    "bars": "03_primary/bars.parquet",
    "actions": "03_primary/actions.parquet",
    "assets": "03_primary/assets.parquet",
    "benchmark": "03_primary/benchmark.parquet",
    "equity": "07_model_output/equity.parquet",
    "equity_gross": "07_model_output/equity_gross.parquet",
    "features": "04_feature/features.parquet",
    "labels": "05_model_input/labels.parquet",
    "macro": "03_primary/macro.parquet",
    "positions": "07_model_output/positions.parquet",
    "quality": "02_intermediate/quality.parquet",
    "quarantine": "02_intermediate/quarantine.parquet",
    "raw_bars": "01_raw/bars.parquet",
    "raw_universe": "01_raw/universe.parquet",
    "reference": "07_model_output/reference.parquet",
    "sectors": "03_primary/sectors.parquet",
    "scores": "07_model_output/scores.parquet",
    "signals": "03_primary/signals.parquet",
    "trades": "07_model_output/trades.parquet",
    "trials": "06_models/trials.parquet",
    "universe": "03_primary/universe.parquet",
    "windows": "07_model_output/windows.parquet",
}


@dataclass(frozen=True)
class RunView:
    """The outputs of one run, each read when it is asked for.

    Parameters
    ----------
    run_id : the run's id.
    folder : where its outputs lie, here or in a store, with the layers of `data/` below; not shown, so that no report prints a path.
    """

    run_id: str
    folder: Place = field(repr=False)

    def table(self, name: str, *, columns: Sequence[str] | None = None, filters: Sequence[Filter] = ()) -> pd.DataFrame:
        """A table by its catalog name (`equity`, `trades`, `scores`, …), as the run wrote it.

        Parameters
        ----------
        name : its name.
        columns : those to read beside the index; None: all.
        filters : (column or index level, operator, value), all of which must hold, such as ``("symbol", "in", ["AAPL"])``.

        Raises
        ------
        LineageError
            The name is no table of a run (the nearest is named), or the run did not keep it.
        """
        return read_table(self._path(name, _TABLES, "table"), columns=columns, filters=filters)

    def keeps(self, name: str) -> bool:
        """Whether the run kept the table of this name; earlier versions wrote fewer."""
        return (self.folder / _TABLES[name]).exists()

    def record(self, name: str) -> dict[str, Any]:
        """A JSON record by its catalog name (`scorecard`, `verdict`, `identity`, `plan`, …).

        Raises
        ------
        LineageError
            The name is no record of a run (the nearest is named), or the run did not keep it.
        """
        record: dict[str, Any] = json.loads(self._path(name, _RECORDS, "record").read_bytes())
        return record

    @cached_property
    def scorecard(self) -> dict[str, Any]:
        """What validation measured."""
        return self.record("scorecard")

    @cached_property
    def verdict(self) -> dict[str, Any]:
        """What the gate ruled, rule by rule."""
        return self.record("verdict")

    @cached_property
    def metadata(self) -> dict[str, Any]:
        """What the source says about its data, caveats included."""
        return self.record("metadata")

    @cached_property
    def parameters(self) -> dict[str, Any]:
        """The parameters that belong to the run's identity, by section."""
        parameters: dict[str, Any] = self.record("identity")["parameters"]
        return parameters

    @cached_property
    def returns(self) -> pd.DataFrame:
        """Daily simple returns `net`, `gross`, `benchmark`, `equal_weighted`, index date.

        The first row is the day before the first fill: NaN in every column, so that all four start together. The benchmark is
        NaN throughout where the source has none.
        """
        net = self.table("equity")["equity"].pct_change(fill_method=None)
        gross = self.table("equity_gross")["equity"].pct_change(fill_method=None)
        reference = self.table("reference")[["benchmark", "equal_weighted"]].reindex(net.index)
        return pd.concat([net.rename("net"), gross.rename("gross"), reference.where(net.notna())], axis=1)

    @cached_property
    def costs(self) -> pd.DataFrame:
        """Commission, spread and borrow fee of each day as fractions of the equity of the day before, index date."""
        equity = self.table("equity")
        return equity[["commission", "spread", "borrow"]].div(equity["equity"].shift(), axis=0).iloc[1:]

    def _path(self, name: str, places: dict[str, str], kind: str) -> Place:
        if name not in places:
            raise LineageError(f"A run has no {kind} '{name}': {nearest(name, places)}.")
        path = self.folder / places[name]
        if not path.is_file():
            raise LineageError(
                f"Run {self.run_id[:12]} keeps no {kind} '{name}' ({places[name]}): "
                "run the pipeline that writes it (`dvc repro` finds out which)."
            )
        return path


def open_run(run_id: str | None = None, *, root: Path | str | None = None) -> RunView:
    """Open the run whose outputs lie in `data/`, or any archived one by its id.

    Parameters
    ----------
    run_id : str, optional
        Id of a run, or its first characters (at least 6) where they name one run only; empty or None: the run in `data/`.
    root : path, optional
        Folder of the project; by default the first one with a `params.yaml` from the working folder upwards. Archived runs
        are also looked for in the project that ``DVC_ROOT`` names, as an experiment in a temporary folder has no archive.

    Raises
    ------
    LineageError
        No project, no outputs yet, or no such run (the nearest known one is named).
    """
    project = _project(root)
    found = _known_runs(project)
    if not run_id:
        current = _id_of(data_root(project))
        if current is None:
            raise LineageError(
                "Without a run id the run in data/ is opened, but data/ holds none yet: run `dvc repro`, or give the id of an archived run."
            )
        return RunView(current, data_root(project))
    return _the_one(run_id, found)


def open_data(run_id: str | None = None, *, root: Path | str | None = None) -> RunView:
    """Open what ingestion left, whether or not a run was finished on it.

    Parameters
    ----------
    run_id : str, optional
        As for `open_run`. Empty or None: what lies in `data/`; the view's own run id is then empty where no finished run has used it:
        none was made, or `data/` was ingested anew since.
    root : path, optional
        As for `open_run`.

    Raises
    ------
    LineageError
        No project, nothing ingested yet, or no such run (the nearest known one is named).
    """
    project = _project(root)
    folder = data_root(project)
    used_by = _user_of(folder)
    if run_id:
        return _the_one(run_id, {**({used_by: folder} if used_by else {}), **_archived(project)})
    if not (folder / _INGESTION).is_file():
        raise LineageError(
            "Data are opened after ingestion, but data/ holds none yet: run `kedro run --pipelines ingestion`, or `dvc repro`."
        )
    return RunView(used_by, folder)


def _project(root: Path | str | None) -> Path:
    project = Path(root) if root is not None else enclosing_project(Path.cwd())
    if project is None:
        raise LineageError(
            "A project has a params.yaml, but neither the working folder nor one above it holds one: go there, or pass root=."
        )
    return project


def _the_one(run_id: str, found: dict[str, Place]) -> RunView:
    matches = [known for known in found if known == run_id or (len(run_id) >= 6 and known.startswith(run_id))]
    if len(matches) != 1:
        problem = "is no known run" if not matches else f"names {len(matches)} runs"
        raise LineageError(
            f"A run is opened by its id, but '{run_id}' {problem}: {nearest(run_id, found) if found else 'none is archived yet'}."
        )
    return RunView(matches[0], found[matches[0]])


def _known_runs(project: Path) -> dict[str, Place]:
    """Folder of outputs by run id; what lies in `data/` goes before its archive."""
    current = _id_of(data_root(project))
    return {**_archived(project), **({current: data_root(project)} if current is not None else {})}


def _archived(project: Path) -> dict[str, Place]:
    archives = [project] + [Path(other) for other in [os.environ.get("DVC_ROOT")] if other]
    return {
        entry.name: entry / "outputs"
        for folder in archives
        for entry in sorted((folder / "runs").glob("*"))
        if (entry / "outputs").is_dir()
    }


def _user_of(folder: Place) -> str:
    """Id of the finished run that was made from the data as they lie there; empty when there is none."""
    if not (folder / _IDENTITY).is_file() or not (folder / _INGESTION).is_file():
        return ""
    identity, ingested = json.loads((folder / _IDENTITY).read_bytes()), json.loads((folder / _INGESTION).read_bytes())["outputs"]
    same = all(ingested.get(name) == digest for name, digest in identity["data"].items())
    return str(identity["run_id"]) if same else ""


def _id_of(folder: Place) -> str | None:
    path = folder / _IDENTITY
    return str(json.loads(path.read_bytes())["run_id"]) if path.is_file() else None


def load_ipython_extension(shell: Any) -> None:
    """`%load_ext touchstone.notebook`, which `touchstone lab` does itself: adds `%factor_save NAME [--force]`."""

    def factor_save(line: str) -> None:
        """%factor_save NAME [--force]: write a factor of this session into the project, as `touchstone factor save` does."""
        from touchstone.commands import save_factor

        names = [word for word in line.split() if word != "--force"]
        if len(names) != 1:
            raise ConfigError(f"The magic saves one factor, but got '{line}': %factor_save NAME [--force].")
        book = Path(os.environ.get("JPY_SESSION_NAME", "")).name
        origin = book if book.endswith(".ipynb") else "a notebook"
        cells = [*shell.history_manager.input_hist_raw]
        done = save_factor(names[0], cells, origin=origin, root=project_root(), force="--force" in line.split())
        click.echo(f"saved: {done.path.as_posix()}; name '{done.name}' in features.sets to use it in a run")

    shell.register_magic_function(factor_save, "line", "factor_save")
