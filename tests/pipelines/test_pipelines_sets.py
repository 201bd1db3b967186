"""Every feature set through the features stage, its bundle and the service; what is left out is said, and the run is told apart by it."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from touchstone import audit, features, market, models
from touchstone.errors import ConfigError, DataError, LookAheadError
from touchstone.lineage import canonical_json
from touchstone.parameters import DataParameters, FeaturesParameters, LabelsParameters, RuntimeParameters, TrainingParameters
from touchstone.pipelines.backtest import bundle
from touchstone.pipelines.features import nodes, proof
from touchstone.pipelines.reporting import nodes as reporting
from touchstone.pipelines.reporting.model_card import model_card
from touchstone.serving._bundle import Bundle
from touchstone.serving._predict import predict
from touchstone.serving._rehearsal import load_rehearsed
from touchstone.sources._simulated import simulate_market
from touchstone.tracking import ServedModel

Tables = dict[str, pd.DataFrame]
METADATA: dict[str, Any] = {
    "adjustment": "none",
    "fields": ["open", "high", "low", "close", "volume"],
    "derived": ["vwap_hlc3"],
    "currency": "USD",
    "calendar": "XNYS",
    "timeframe": "1d",
}
RUNTIME = RuntimeParameters(threads=1)
COMPARED = ["cross_section", "macro", "calendar"]


@pytest.fixture(scope="module")
def tables() -> Tables:
    """A small market with everything that a set may need."""
    clean = market.ingest(simulate_market(n_symbols=6, n_sessions=700, seed=3).data)
    names = ("actions", "signals", "universe", "benchmark")
    symbols = clean.bars.index.unique("symbol")
    sectors = pd.DataFrame({"symbol": symbols.astype("str"), "sector": pd.Series(["tools", "toys"] * 3, dtype="str")})
    first, last = (clean.bars.index[at][0] for at in (0, -1))
    return {
        "bars": market.derive(clean.bars, ("vwap_hlc3",)),
        **{name: getattr(clean, name) for name in names},
        "sectors": sectors.assign(start=first, end=last),
        "macro": _macro(clean.bars.index.unique("date")),
    }


def _macro(dates: pd.DatetimeIndex) -> pd.DataFrame:
    months = dates[::21]
    return pd.DataFrame(
        {
            "series": pd.Series("rate", index=range(len(months)), dtype="str"),
            "period": months,
            "value": [float(7 * number % 11) for number in range(len(months))],
            "known_at": months,
            "expires_at": months + pd.Timedelta(days=90),
        }
    )


def engineer(tables: Tables, *sets: str, **more: Any) -> tuple[pd.DataFrame, dict[str, Any]]:
    return nodes.engineer(parameters=FeaturesParameters(sets=sets, **more), runtime=RUNTIME, metadata=METADATA, **tables)


def audited(tables: Tables, *sets: str, **more: Any) -> dict[str, Any]:
    parameters = FeaturesParameters(sets=sets, audit_cuts=2, **more)
    return nodes.audit_look_ahead(parameters=parameters, runtime=RUNTIME, metadata=METADATA, seed=7, **tables)


def bound(tables: Tables, folder: Path, *sets: str, transform: str = "rank") -> Callable[[], Bundle]:
    """A ridge fitted on the last sessions of the sets, written as a run would, to be loaded as a service does."""
    matrix, plan = engineer(tables, *sets, transform=transform)
    rows = matrix[matrix.index.get_level_values("date") >= matrix.index.levels[0][520]]
    target = pd.Series(range(len(rows)), index=rows.index, dtype="float64", name="label") % 17
    (folder / "model.txt").write_bytes(models.make("ridge").fit(rows, target).dump())
    card = bundle.bind(
        data=DataParameters(start="2010-01-01"),
        features=FeaturesParameters(sets=sets, transform=transform),
        labels=LabelsParameters(),
        training=TrainingParameters(),
        tuned={"model": "ridge"},
        plan=plan,
        windows=pd.DataFrame({"start": [rows.index[0][0]], "end": [rows.index[-1][0]]}),
        metadata=METADATA,
    )
    (folder / "bundle.json").write_text(canonical_json(card))
    return lambda: load_rehearsed(ServedModel(version=1, run_id="ab12" * 16, bundle=folder, verdict="passed"))


def body(tables: Tables, **changed: pd.DataFrame) -> bytes:
    """What a client knows at the close of the last session; computed fields are not its to send."""
    told = {**tables, "bars": tables["bars"].drop(columns="vwap"), **changed}
    rows = {name: told[name].reset_index() if name in ("bars", "benchmark") else told[name] for name in told}
    sent = {name: json.loads(table.to_json(orient="records", date_format="iso", double_precision=15)) for name, table in rows.items()}
    return json.dumps(sent).encode()


@pytest.mark.parametrize("name", features.list_sets())
def test_the_bundle_of_every_set_is_rehearsed_and_scores_what_the_batch_computes(tables: Tables, tmp_path: Path, name: str) -> None:
    served = bound(tables, tmp_path, name)()
    matrix, _ = engineer(tables, name)
    last = matrix.loc[[matrix.index[-1][0]]]
    answer = predict(served, body(tables), alias="champion")
    assert [one.score for one in answer.scores] == served.forecaster.predict(last).tolist()


def test_sets_of_every_kind_are_served_together(tables: Tables, tmp_path: Path) -> None:
    served = bound(tables, tmp_path, *COMPARED, transform="zscore")()
    matrix, _ = engineer(tables, *COMPARED, transform="zscore")
    answer = predict(served, body(tables), alias="champion")
    assert [one.score for one in answer.scores] == served.forecaster.predict(matrix.loc[[matrix.index[-1][0]]]).tolist()


def test_a_request_without_what_a_set_needs_is_refused(tables: Tables, tmp_path: Path) -> None:
    served = bound(tables, tmp_path, *COMPARED)()
    nothing = {name: tables[name].iloc[:0] for name in ("sectors", "macro")}
    with pytest.raises(DataError, match=r"7 cannot be computed, cs_neutral_return_1 \(there are no sectors\)"):
        predict(served, body(tables, sectors=nothing["sectors"]), alias="champion")
    with pytest.raises(DataError, match=r"macro_rate \(no row of 'rate' in macro\)"):
        predict(served, body(tables, macro=nothing["macro"]), alias="champion")
    with pytest.raises(DataError, match=r"at least as many sessions as their lookback, 121, but the bars have 100"):
        predict(served, body(tables, bars=tables["bars"].drop(columns="vwap").iloc[-600:]), alias="champion")


def test_macro_that_begins_too_late_is_refused_where_the_model_looks_back(tables: Tables, tmp_path: Path) -> None:
    late = tables["macro"].tail(2)
    looks_back, reads_the_level = (tmp_path / name for name in ("deep", "flat"))
    for folder in (looks_back, reads_the_level):
        folder.mkdir()
    with pytest.raises(DataError, match=r"first of the 252 sessions that the model looks at, .*, but got rate from "):
        predict(bound(tables, looks_back, "macro")(), body(tables, macro=late), alias="champion")
    flat = bound(tables, reads_the_level, "calendar")()
    assert predict(flat, body(tables, macro=late), alias="c").scores == predict(flat, body(tables), alias="c").scores


def test_a_series_that_the_training_did_not_have_changes_nothing(tables: Tables, tmp_path: Path) -> None:
    served = bound(tables, tmp_path, "macro")()
    other = pd.concat([tables["macro"], tables["macro"].tail(1).assign(series="other")], ignore_index=True)
    other["series"] = other["series"].astype("str")
    assert predict(served, body(tables, macro=other), alias="c").scores == predict(served, body(tables), alias="c").scores


def test_what_is_left_out_is_said_once_for_each_reason(tables: Tables, caplog: pytest.LogCaptureFixture) -> None:
    lacking = {**tables, "bars": tables["bars"][["close"]], **{name: tables[name].iloc[:0] for name in ("macro", "sectors", "benchmark")}}
    with caplog.at_level(logging.WARNING):
        _, plan = engineer(lacking, "alpha158", "momentum", "macro")
    assert {"feature": "macro", "reason": "there is no macro series"} in plan["left_out"]
    said = [record.getMessage() for record in caplog.records]
    assert "Left out of the features, there is no macro series: macro" in said
    assert "Left out of the features, there is no benchmark: beta_60, residual_volatility_60" in said
    assert len(said) == len({left["reason"] for left in plan["left_out"]}) < len(plan["left_out"])


def test_nothing_but_what_is_not_there_is_an_error_that_says_why(tables: Tables) -> None:
    lacking = {**tables, **{name: tables[name].iloc[:0] for name in ("macro", "signals")}}
    with pytest.raises(ConfigError, match=r"all of features.sets are left out: macro \(there is no macro series\)"):
        engineer(lacking, "macro")


def test_an_unknown_set_is_named_with_the_nearest(tables: Tables) -> None:
    with pytest.raises(ConfigError, match="got 'alpha185': did you mean 'alpha158'"):
        engineer(tables, "alpha185")


def test_the_audit_is_counted_check_by_check(tables: Tables) -> None:
    found = audited(tables, *COMPARED)
    checks = ["truncation", "perturbation", "warm-up", "append"]
    assert [one["check"] for one in found["checks"] if one["of"] == "values"] == checks
    assert [one["check"] for one in found["checks"] if one["of"] == "rank"] == ["truncation", "perturbation", "append"]
    assert sum(one["n_compared"] for one in found["checks"]) == found["n_compared"]
    assert min(one["n_compared"] for one in found["checks"]) > 0
    assert found["passed"]
    assert {one["of"] for one in audited(tables, "calendar", transform="none")["checks"]} == {"values"}


def test_the_audit_catches_a_transform_that_compares_over_time(tables: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    """The museum's scaler fitted on everything: untransformed values are honest, and the stretch must show it."""
    honest = nodes._compute

    def leaky(parameters: FeaturesParameters, *arguments: Any, **named: Any) -> pd.DataFrame:
        values = honest(parameters.model_copy(update={"transform": "none"}), *arguments, **named)
        return values if parameters.transform == "none" else values.rank(pct=True).astype("float32")

    monkeypatch.setattr(nodes, "_compute", leaky)
    with pytest.raises(LookAheadError, match="may use only what was known at its date"):
        audited(tables, "calendar", "alpha158")


def test_ranks_are_audited_on_the_latest_sessions_with_members(tables: Tables) -> None:
    dates = tables["bars"].index.unique("date")
    stretch = proof.recent(tables, lookback=61)
    assert stretch["bars"].index.unique("date").equals(dates[-(61 + 252) :])
    assert stretch["universe"] is tables["universe"]
    assert proof.recent(tables, lookback=505)["bars"] is tables["bars"]
    # Nobody belongs after the 600th session: the stretch must hold sessions on which somebody does.
    ended = tables["universe"].assign(end=tables["universe"]["end"].clip(upper=dates[599]))
    left = proof.recent({**tables, "universe": ended}, lookback=61)["bars"].index.unique("date")
    assert left.equals(dates[600 - (61 + 252) :])


def test_a_benchmark_that_nothing_reads_is_not_handed_over(tables: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[int] = []
    whole = audit.look_ahead

    def watch(compute: Any, inputs: Tables, **named: Any) -> Any:
        given.append(len(inputs["benchmark"]))
        return whole(compute, inputs, **named)

    monkeypatch.setattr(audit, "look_ahead", watch)
    audited(tables, "calendar", transform="none")
    audited(tables, "momentum", transform="none")
    assert given == [0, len(tables["benchmark"])]


def test_other_sectors_are_another_run() -> None:
    names = ("raw_bars", "bars", "actions", "macro", "signals", "universe", "benchmark", "sectors")

    def run_id(sectors: str) -> str:
        record = {"parameters": {"seed": 7}, "outputs": {**dict.fromkeys(names, "0" * 64), "sectors": sectors}}
        return str(reporting.identify(code={}, lock="", known=(), ingestion=record)["run_id"])

    assert run_id("1" * 64) != run_id("2" * 64)


def test_the_model_card_says_sets_history_and_what_was_left_out() -> None:
    card = {
        "model": "ridge",
        "labels": {"horizon": 5, "fill": "next_close"},
        "columns": ["a", "b"],
        "features": {"sets": ["alpha158", "macro"], "transform": "rank"},
        "lookback": 61,
        "left_out": [{"feature": name, "reason": "the bars do not carry vwap"} for name in ("VWAP0", "VWAP1")],
        "adjustment": "split",
        "calendar": "XNYS",
        "scored": {"start": "2020-01-02"},
    }
    score = {
        "luck": {"deflated_sharpe": 0.5, "n_trials": 3},
        "sharpe": {"net": 1.0, "net_lower": 0.5, "net_upper": None},
        "span": {"first": "2019-01-02", "last": "2020-12-31"},
        "rank_ic": {"mean": 0.01},
    }
    told = model_card("ab12" * 16, score, {"passed": True, "rules": []}, card, {"source": "files", "timeframe": "1d", "caveats": []})
    assert "2 features of the sets alpha158, macro (61 sessions of history; transform: rank)" in told
    assert "Left out: VWAP0, VWAP1 (the bars do not carry vwap)." in told
