"""A factor study over what a run or ingestion left: features, labels, and the sessions that may be looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from touchstone import evaluation
from touchstone.errors import ConfigError, DataError
from touchstone.lineage import Trial, record, trial_key
from touchstone.notebook import RunView
from touchstone.parameters import Parameters, identity, parse
from touchstone.pipelines.records import bar_width, scope_of
from touchstone.root import enclosing_project

__all__ = ["FactorStudy", "study_factors"]

_HORIZONS = (1, 2, 5, 10, 20, 60)
_LIQUIDITY_WINDOW = 63
_TABLES = ("bars", "actions", "macro", "signals", "universe", "benchmark", "sectors")


@dataclass(frozen=True, eq=False)
class FactorStudy:
    """Features held against what followed, and what was looked at for it.

    Attributes
    ----------
    assessment : the numbers.
    parameters : those of the study: the run's, with its sets and transform.
    metadata : of the data.
    run_id : the run whose data they are; empty when none was finished on them.
    left_out : feature and reason of those that the tables cannot carry.
    first_backtest : the first session that the backtest scores; None where the data are too short for one.
    saw_backtest : whether a label reached into the sessions that a backtest judges.
    n_announced : features announced as trials for that.
    by_liquidity : whether traded value was there to split each session by.
    """

    assessment: evaluation.FactorAssessment
    parameters: Parameters
    metadata: Mapping[str, Any]
    run_id: str
    left_out: tuple[tuple[str, str], ...]
    first_backtest: pd.Timestamp | None
    saw_backtest: bool
    n_announced: int
    by_liquidity: bool


def study_factors(
    view: RunView, *, sets: Sequence[str] = (), through: str = "", transform: str = "", horizons: Sequence[int] = _HORIZONS
) -> FactorStudy:
    """Hold features against forward returns, before the first backtest session unless told otherwise.

    Parameters
    ----------
    view : a run, or what ingestion left (`touchstone.notebook.open_data`); parameters are the run's over those of params.yaml.
    sets : feature sets by name; empty: those of the parameters.
    through : last day that a label may look at, such as 2017-12-29. Empty: the last before the first backtest session. A later one
        reads sessions that a backtest judges: each feature is then announced to `touchstone.lineage.recorder` as a trial.
    transform : ``rank`` or ``none``; empty: as the parameters say.
    horizons : sessions; the labels' own is added.

    Raises
    ------
    ConfigError
        An unknown set or transform, or a date that is none.
    DataError
        No session in the span, or no feature that orders symbols.
    """
    from touchstone.pipelines.features.nodes import engineer  # other reports need no features

    parameters = _parameters(view, sets, transform)
    tables = {name: view.table(name) for name in _TABLES}
    matrix, layout = engineer(parameters=parameters.features, runtime=parameters.runtime, metadata=dict(view.metadata), **tables)
    main = parameters.labels.horizon
    frames = {h: _labels(parameters, tables, h) for h in sorted({*horizons, main})}
    first_backtest = _first_backtest(parameters, frames[main])
    limit = _limit(through, first_backtest, frames[main])
    n_rows = int((matrix.index.get_level_values("date") < limit).sum())
    if not n_rows:
        raise DataError(f"A factor report needs sessions in its span, but the data begin after {through}: name a later day.")
    liquidity = _liquidity(tables["bars"], view.metadata)
    assessment = evaluation.assess_factors(
        matrix.iloc[:n_rows],
        {h: frame["label"].where(frame["end"] < limit) for h, frame in frames.items()},
        horizon=main,
        liquidity=liquidity,
        confidence=parameters.validation.confidence,
        threads=parameters.runtime.threads,
    )
    if not assessment.many.n_tests:
        raise DataError(
            f"A factor report ranks symbols, but no feature of {', '.join(parameters.features.sets)} differs between symbols on sessions "
            "enough: name other sets, or a later --through."
        )
    study = FactorStudy(
        assessment=assessment,
        parameters=parameters,
        metadata=view.metadata,
        run_id=view.run_id,
        left_out=tuple((entry["feature"], entry["reason"]) for entry in layout["left_out"]),
        first_backtest=first_backtest,
        saw_backtest=first_backtest is not None and limit > first_backtest,
        n_announced=0,
        by_liquidity=liquidity is not None,
    )
    return _announced(study, matrix.index[:n_rows])


def _parameters(view: RunView, sets: Sequence[str], transform: str) -> Parameters:
    from touchstone.configuration import merge, read_parameters  # it brings Kedro

    project = enclosing_project(Path.cwd())
    if project is None:
        raise ConfigError("A factor report takes what it is not told from params.yaml, but none lies here or above: go into a project.")
    used = view.parameters if view.run_id else view.record("ingestion")["parameters"]
    features = {**({"sets": list(sets)} if sets else {}), **({"transform": transform} if transform else {})}
    return parse(merge(merge(read_parameters(project / "params.yaml"), used), {"features": features}))


def _labels(parameters: Parameters, tables: Mapping[str, pd.DataFrame], horizon: int) -> pd.DataFrame:
    from touchstone.pipelines.features.nodes import make_labels

    of_horizon = parameters.labels.model_copy(update={"horizon": horizon})
    return make_labels(of_horizon, tables["bars"], tables["actions"], tables["universe"])


def _first_backtest(parameters: Parameters, labels: pd.DataFrame) -> pd.Timestamp | None:
    from touchstone.pipelines.windows import windows

    enough = labels.index.unique("date").size > parameters.training.n_train
    return windows(parameters.training).first_test_session(labels) if enough else None


def _limit(through: str, first_backtest: pd.Timestamp | None, labels: pd.DataFrame) -> pd.Timestamp:
    """The moment before which a label must end to be looked at."""
    if through:
        try:
            return pd.Timestamp(through).normalize() + pd.Timedelta(days=1)
        except ValueError:
            raise ConfigError(f"The last day of a factor report must look like 2017-12-29, but got '{through}': mend it.") from None
    last: pd.Timestamp = labels.index.get_level_values("date").max()
    return first_backtest if first_backtest is not None else last + pd.Timedelta(days=1)


def _liquidity(bars: pd.DataFrame, metadata: Mapping[str, Any]) -> pd.Series | None:
    """Median traded value of the last bars, known at the close; none where prices are not those that were paid."""
    if "volume" not in bars.columns or metadata["adjustment"] == "total_return":
        return None
    dollars = (bars["close"] * bars["volume"]).unstack()  # noqa: PD010 - one value a cell
    median = dollars.rolling(_LIQUIDITY_WINDOW, min_periods=1).median()
    return pd.Series(median.stack()).reindex(bars.index)  # noqa: PD013 - back onto the rows


def _announced(study: FactorStudy, rows: pd.Index) -> FactorStudy:
    """A look at sessions that a backtest judges is a trial for each feature; a simulated market teaches nothing about real ones."""
    source, horizon = study.parameters.data.source, study.assessment.horizon
    if not study.saw_backtest or source == "simulated":
        return study
    scope, shared = scope_of(source, rows), _configuration(study.parameters)
    board = study.assessment.leaderboard
    tested = board.index[board["p"].notna()]
    for name in tested:
        returns = study.assessment.spreads[name].iloc[::horizon].dropna()
        seen = evaluation.moments(returns)
        trial = Trial(
            key=trial_key(scope, {**shared, "factor": str(name)}),
            scope=scope,
            sharpe=seen.sharpe / horizon**0.5,
            n=len(returns) * horizon,
            skewness=seen.skewness,
            kurtosis=seen.kurtosis,
        )
        record(trial, returns.to_numpy())
    return replace(study, n_announced=len(tested))


def _configuration(parameters: Parameters) -> dict[str, Any]:
    """The part of a trial's configuration that the features of one study share."""
    shared = {"features": identity(parameters.features), "labels": identity(parameters.labels), "portfolio": "quantile_spread"}
    return shared | bar_width(parameters.data)
