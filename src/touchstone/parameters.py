"""`params.yaml`, parsed once into frozen models; an unknown key is an error that names the nearest known one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from touchstone.errors import ConfigError, nearest

__all__ = [
    "AlpacaParameters",
    "BacktestParameters",
    "DataParameters",
    "FeaturesParameters",
    "FilesParameters",
    "FinnhubParameters",
    "FredParameters",
    "GateParameters",
    "GateRule",
    "LabelsParameters",
    "Parameters",
    "RuntimeParameters",
    "SimulatedParameters",
    "TrainingParameters",
    "UniverseParameters",
    "ValidationParameters",
    "identity",
    "parse",
]

Timeframe = Literal["1m", "5m", "15m", "30m", "1h", "1d"]
Fill = Literal["next_close", "next_open", "same_close"]
_WHERE_OR_HOW_FAST: dict[str, Any] = {"identity": False}


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FilesParameters(_Section):
    path: str = Field("data/00_external", json_schema_extra=_WHERE_OR_HOW_FAST)
    columns: dict[str, str] = {}
    adjustment: Literal["none", "split", "total_return"] = "none"
    timezone: str = "UTC"
    stamp: Literal["close", "open"] = "close"


class SimulatedParameters(_Section):
    n_symbols: int = Field(100, ge=1)
    n_sessions: int = Field(2520, ge=2)
    rank_ic: float = Field(0.05, ge=0.0, le=0.3)
    idiosyncratic_volatility: float = Field(0.02, gt=0.0, le=0.05)
    signal_half_life: float = Field(10.0, gt=0.0)
    errors_per_kind: int = Field(0, ge=0)


class UniverseParameters(_Section):
    """Who belongs, beside the membership that the source or a table states; each rule looks back only."""

    min_age: int = Field(0, ge=0)
    min_dollar_volume: float = Field(0.0, ge=0.0)
    window: int = Field(63, ge=1)


class AlpacaParameters(_Section):
    feed: Literal["iex", "sip"] = "iex"


class FinnhubParameters(_Section):
    actions: bool = True


class FredParameters(_Section):
    series: tuple[str, ...] = ()
    lags: dict[str, int] = {}


class DataParameters(_Section):
    source: str = "sample"
    start: dt.date
    end: dt.date | None = None
    symbols: tuple[str, ...] = ()
    calendar: str = "XNYS"
    timeframe: Timeframe = "1d"
    currency: str = ""
    derive: tuple[str, ...] = ()
    macro_sources: tuple[str, ...] = ()
    max_age_sessions: int | None = Field(None, ge=0)
    max_age_minutes: int | None = Field(None, ge=0)
    tables: str = Field("data/00_external/tables", json_schema_extra=_WHERE_OR_HOW_FAST)
    snapshots: str = Field("data/01_raw/snapshots", json_schema_extra=_WHERE_OR_HOW_FAST)
    universe: UniverseParameters = UniverseParameters()
    files: FilesParameters = FilesParameters()
    simulated: SimulatedParameters = SimulatedParameters()
    alpaca: AlpacaParameters = AlpacaParameters()
    finnhub: FinnhubParameters = FinnhubParameters()
    fred: FredParameters = FredParameters()


class FeaturesParameters(_Section):
    sets: tuple[str, ...] = ("momentum",)
    transform: Literal["rank", "zscore", "none"] = "rank"
    audit_cuts: int = Field(4, ge=1)
    memory_budget: int = Field(512, ge=1, json_schema_extra=_WHERE_OR_HOW_FAST)


class LabelsParameters(_Section):
    horizon: int = Field(5, ge=1)
    fill: Fill = "next_close"


class TrainingParameters(_Section):
    models: tuple[str, ...] = Field(("ridge", "lightgbm"), min_length=1)
    n_trials: int = Field(20, ge=1)
    n_folds: int = Field(4, ge=2)
    embargo: int = Field(5, ge=0)
    target: Literal["rank", "demeaned", "raw"] = "rank"
    n_train: int = Field(1008, ge=1)
    n_test: int = Field(126, ge=1)
    expanding: bool = True
    transforms: tuple[str, ...] = ()


class BacktestParameters(_Section):
    fill: Fill = "next_close"
    side_fraction: float = Field(0.2, gt=0.0, le=0.5)
    rebalance_every: int | None = Field(None, ge=1)
    initial_cash: float = Field(1e6, gt=0.0)
    commission_bps: float = Field(1.0, ge=0.0)
    half_spread_bps: float = Field(5.0, ge=0.0)
    borrow_bps_per_year: float = Field(50.0, ge=0.0)


class GateRule(_Section):
    threshold: float
    required: bool


class GateParameters(_Section):
    """The rules of `touchstone.evaluation.gate`; one that is left out is not applied."""

    no_look_ahead: GateRule | None = None
    rank_ic_lower: GateRule | None = None
    deflated_sharpe: GateRule | None = None
    net_sharpe_lower: GateRule | None = None
    sharpe_at_double_costs: GateRule | None = None
    positive_years: GateRule | None = None
    sharpe_above_equal_weighted: GateRule | None = None
    sharpe_above_benchmark: GateRule | None = None

    def rules(self) -> dict[str, tuple[float, bool]]:
        """Threshold and whether it is required, by rule."""
        return {name: (rule.threshold, rule.required) for name, rule in self if rule is not None}


class ValidationParameters(_Section):
    confidence: float = Field(0.95, gt=0.5, lt=1.0)
    n_resamples: int = Field(1000, ge=100)
    cost_multipliers: tuple[float, ...] = (0.0, 0.5, 1.0, 2.0, 3.0)
    gate: GateParameters


class RuntimeParameters(_Section):
    threads: int = Field(2, ge=1, json_schema_extra=_WHERE_OR_HOW_FAST)


class Parameters(_Section):
    """The whole of `params.yaml`."""

    seed: int
    data: DataParameters
    features: FeaturesParameters
    labels: LabelsParameters
    training: TrainingParameters
    backtest: BacktestParameters
    validation: ValidationParameters
    runtime: RuntimeParameters


def parse(raw: Mapping[str, Any]) -> Parameters:
    """Check and freeze the parameters.

    Raises
    ------
    ConfigError
        An unknown section or key (with the nearest known one), or a value that does not fit.
    """
    try:
        return Parameters.model_validate(dict(raw))
    except ValidationError as error:
        # A misspelt section is also a missing one: the name that was written explains both.
        problems = sorted(error.errors(), key=lambda problem: problem["type"] != "extra_forbidden")
        raise ConfigError(_sentence(problems[0])) from None


def identity(section: BaseModel) -> dict[str, Any]:
    """The JSON-ready values of a section that belong to a run's identity: where and how fast are left out."""
    values: dict[str, Any] = {}
    for name, field in type(section).model_fields.items():
        if isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("identity") is False:
            continue
        value = getattr(section, name)
        values[name] = identity(value) if isinstance(value, BaseModel) else section.model_dump(mode="json")[name]
    return values


def _sentence(problem: ErrorDetails) -> str:
    where = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        known = _fields_at(problem["loc"][:-1])
        return f"Every parameter of params.yaml must be known, but got '{where}': {nearest(str(problem['loc'][-1]), known)}."
    if problem["type"] == "missing":
        return f"params.yaml must give '{where}', but it is missing: add it."
    if problem["type"] == "tuple_type":
        return f"Parameter '{where}' must be a list, got {problem['input']!r}: write [{problem['input']}]."
    return f"Parameter '{where}' does not fit, got {problem['input']!r}: {problem['msg']}."


def _fields_at(location: tuple[int | str, ...]) -> list[str]:
    model: Any = Parameters
    for part in location:
        annotation = model.model_fields[part].annotation
        # An optional section is a union with None.
        model = next((member for member in get_args(annotation) if hasattr(member, "model_fields")), annotation)
    return list(model.model_fields)
