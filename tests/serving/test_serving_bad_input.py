"""What is not bars: a 4xx and one sentence that says the rule, what was given and how to mend it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

Ask = Callable[..., httpx.Response]
_ACTION = {"symbol": "S001", "ex_date": "2011-01-03", "kind": "split", "value": 2.0, "known_at": "2011-01-03"}
_DATE, _NAME, _NUMBER = st.dates().map(str), st.text(min_size=1, max_size=3), st.floats(allow_nan=False, allow_infinity=False)
_LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | _DATE
# Rows of the right types, so that some get past the first check, and rows of anything.
_COLUMNS: dict[str, dict[str, Any]] = {
    "bars": {"date": _DATE, "symbol": _NAME, "close": _NUMBER},
    "actions": {"symbol": _NAME, "ex_date": _DATE, "kind": st.sampled_from(["split", "dividend"]), "value": _NUMBER, "known_at": _DATE},
    "benchmark": {"date": _DATE, "close": _NUMBER},
    "signals": {"name": _NAME, "symbol": _NAME, "period": _DATE, "value": _NUMBER, "known_at": _DATE},
    "universe": {"symbol": _NAME, "start": _DATE, "end": _DATE},
    "base_factors": {"symbol": _NAME, "price": _NUMBER, "volume": _NUMBER},
}
_ROWS = {name: st.fixed_dictionaries(columns) | st.dictionaries(_NAME, _LEAVES) for name, columns in _COLUMNS.items()}
_REQUEST = st.fixed_dictionaries({}, optional={name: st.lists(row, max_size=3) | _LEAVES for name, row in _ROWS.items()})


@pytest.fixture(scope="module")
def app(research: Any, tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    from touchstone.serving._app import create_app
    from touchstone.serving._bundle import load_bundle
    from touchstone.serving._watcher import AliasWatcher

    served = research.write(tmp_path_factory.mktemp("bundle"))
    return create_app(AliasWatcher("champion", lambda alias: served, load_bundle), list)


def refusal(answer: httpx.Response) -> str:
    assert 400 <= answer.status_code < 500
    assert set(answer.json()) == {"error"}
    sentence = answer.json()["error"]
    assert "Traceback" not in sentence
    assert "\n" not in sentence
    assert sentence.endswith(".")
    return sentence


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "must be JSON"),
        (b"bars", "must be JSON"),
        (b'{"bars": [', "must be JSON"),
        (b"\xff\xfe", "must be JSON"),
        (b'{"bars": [{"date": "2020-01-02", "symbol": "\\ud800", "close": 1}]}', "must be JSON"),
        (b'{"bars": [{"date": "2020-01-02", "symbol": "A", "close": 1' + b"0" * 400 + b"}]}", "bars[0].close does not fit"),
        (b"[" * 100_000, "must be JSON"),
        (b"null", "must be a JSON object with bars, but got None"),
        (b"[1, 2]", "must be a JSON object with bars, but got [1, 2]"),
        (b"{}", "must give bars, but it is missing"),
        (b'{"bars": []}', "bars does not fit, got []"),
        (b'{"bars": 3}', "bars does not fit, got 3"),
        (b'{"bars": null}', "bars does not fit, got None"),
        (b'{"bars": ["AAPL"]}', "bars[0] does not fit, got 'AAPL'"),
        (b'{"bars": [{"date": "2020-01-02", "symbol": "A"}]}', "must give bars[0].close"),
        (b'{"bars": [{"date": "2020-01-02", "symbol": "A", "close": null}]}', "bars[0].close does not fit, got None"),
        (b'{"bars": [{"date": "2020-01-02", "symbol": "A", "close": NaN}]}', "bars[0].close does not fit, got nan"),
        (b'{"bars": [{"date": "2020-01-02", "symbol": "A", "close": "12.5"}]}', "bars[0].close does not fit, got '12.5'"),
        (b'{"bars": [{"date": "2020-01-02", "symbol": "A", "close": true}]}', "bars[0].close does not fit, got True"),
        (b'{"bars": [{"date": "2nd of May", "symbol": "A", "close": 1}]}', "bars[0].date does not fit, got '2nd of May'"),
        (b'{"bars": [{"date": 20200102, "symbol": "A", "close": 1}]}', "bars[0].date does not fit"),
        (b'{"bars": [{"date": "2020-01-02", "symbol": 7, "close": 1}]}', "bars[0].symbol does not fit, got 7"),
        (b'{"bars": [{"date": "2020-01-02", "symbol": "A", "close": 1, "Volume": 3}]}', "did you mean 'volume'?"),
        (b'{"bars": {"date": ["2020-01-02"], "symbol": ["A", "B"], "close": [1]}}', "must be equally long"),
        (b'{"bars": {"date": ["2020-01-02"], "symbol": ["A"]}}', "must give bars.close"),
        (b'{"bars": {"date": ["2020-01-02"], "symbol": ["A"], "close": ["x"]}}', "bars.close[0] does not fit, got 'x'"),
        (b'{"bars": {"date": [], "symbol": [], "close": []}}', "bars.date does not fit, got []"),
    ],
)
def test_a_body_that_is_not_bars(app: FastAPI, ask: Ask, content: bytes, expected: str) -> None:
    assert expected in refusal(ask(app, content=content))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"symbls": ["S001"]}, "did you mean 'symbols'?"),
        ({"symbols": []}, "symbols does not fit"),
        ({"symbols": ["S001", "NOPE"]}, "NOPE has none"),
        ({"benchmark": None}, "beta_60 (there is no benchmark)"),
        ({"macro": None}, "macro_spread (no row of 'spread' in macro)"),
        ({"macro": []}, "macro_spread (no row of 'spread' in macro)"),
        ({"signals": None}, "signal_planted (no row of 'planted' in signals)"),
        ({"actions": None}, "gives no actions"),
        ({"universe": [{"symbol": "S001", "start": "2012-01-03"}]}, "must give universe[0].end"),
        ({"universe": [{"symbol": "S001", "start": "2012-01-03", "end": "2011-01-03"}]}, "end must not lie before start"),
        (
            {"actions": [{"symbol": "S001", "ex_date": "2011-01-03", "kind": "merger", "value": 1.0, "known_at": "2011-01-03"}]},
            "must be one of split",
        ),
        ({"base_factors": [{"symbol": "S001", "price": 1.0}]}, "must give base_factors[0].volume"),
        ({"base_factors": [{"symbol": "S001", "price": 0.0, "volume": 1.0}]}, "base_factors[0].price does not fit, got 0.0"),
        ({"base_factors": [{"symbol": "S001", "price": 1.0, "volume": 1.0}] * 2}, "base_factors must name each symbol once, but S001"),
        ({"benchmark": [{"date": "2012-04-05", "close": 1.0}]}, "The benchmark must cover the sessions"),
    ],
)
def test_a_table_that_does_not_do(app: FastAPI, ask: Ask, body: dict[str, Any], change: dict[str, Any], expected: str) -> None:
    assert expected in refusal(ask(app, json={**body, **change}))


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=_REQUEST | _LEAVES)
def test_no_json_makes_the_service_fall(app: FastAPI, ask: Ask, content: Any) -> None:
    refusal(ask(app, content=json.dumps(content).encode()))


def edited(body: dict[str, Any], edit: Callable[[list[dict[str, Any]]], Any]) -> bytes:
    bars = [dict(row) for row in body["bars"]]
    return json.dumps({**body, "bars": edit(bars) or bars}).encode()


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (lambda bars: bars[5].update(close=-1.0), "must be a finite number above 0"),
        (lambda bars: [*bars[:-1], {"date": bars[-1]["date"], "symbol": bars[-1]["symbol"], "close": 9.0}], "must not be missing"),
        (lambda bars: bars[5].update(high=1e999), "bars[5].high does not fit, got inf"),
        (lambda bars: [*bars, bars[0]], "stand twice"),
        (lambda bars: [{**row, "symbol": "S001"} for row in bars if row["symbol"] == "S001"], "cross-section of at least two symbols"),
        (lambda bars: bars[-500:], "at least as many sessions as their lookback, 505"),
        (lambda bars: [row for row in bars if row["symbol"] != "S003" or row["date"] < "2012-01-01"], "needs the whole cross-section"),
        (lambda bars: [{key: value for key, value in row.items() if key != "volume"} for row in bars], "the bars do not carry volume"),
    ],
)
def test_bars_that_break_the_contract(app: FastAPI, ask: Ask, body: dict[str, Any], edit: Callable[[Any], Any], expected: str) -> None:
    assert expected in refusal(ask(app, content=edited(body, edit)))


def test_another_method_is_refused_in_a_sentence(app: FastAPI, ask: Ask) -> None:
    answer = ask(app, method="GET")
    assert answer.status_code == 405
    assert "GET /api/v1/predict is not answered here" in refusal(answer)


def test_a_refusal_leaves_the_service_as_it_was(app: FastAPI, ask: Ask, body: dict[str, Any]) -> None:
    before = ask(app, json=body).json()
    refusal(ask(app, content=b"{}"))
    assert ask(app, json=body).json() == before
