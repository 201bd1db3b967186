"""The set `technical`: the indicators that chartists use, by TA-Lib's definitions and with the field's usual periods."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from touchstone.features import _technical_formulas as formulas
from touchstone.features import _technical_kernels as kernels
from touchstone.features._feature import Feature, FeatureSet
from touchstone.features._technical_lines import Line

__all__ = ["TECHNICAL"]

_CLOSE = ("close",)
_RANGE = ("high", "low", "close")
_TRADED = ("high", "low", "close", "volume")


@dataclass(frozen=True)
class _Indicator:
    """A formula over a symbol's own bars as the kernel of a feature.

    Sessions without a bar are passed over, and bars that lack one of the fields with them: a mean would not forget them for long.
    """

    formula: Callable[..., Line]
    lookback: int

    def __call__(self, *arguments: Any) -> None:
        """Called with the panels of the fields, then ``age, first, out``."""
        *panels, age, first, out = arguments
        # A sum is there where all are.
        sessions = kernels.places(sum(panels[1:], panels[0]), max(first - self.lookback + 1, 0), self.lookback)
        line = self.formula(*(Line(kernels.pack(panel, sessions)) for panel in panels))
        kernels.unpack(line.values, sessions, age, first, out, line.begins, line.settled, self.lookback)


def _indicator(name: str, fields: tuple[str, ...], bars: int, formula: Callable[..., Line], *periods: float, **options: float) -> Feature:
    """A feature that looks back over that many bars, which must lie within as many sessions and a quarter more."""
    lookback = -(-5 * bars // 4)

    def with_periods(*given: Line) -> Line:
        return formula(*given, *periods, **options)

    return Feature(name, (*fields, "age"), lookback, _Indicator(with_periods, lookback), partial_windows=True)


# `bars` is what a formula settles after: its windows, and for exponential means the bars until 1e-9 of the weight is left.
TECHNICAL = FeatureSet(
    "technical",
    (
        _indicator("rsi_14", _CLOSE, 295, formulas.relative_strength, 14),
        _indicator("stochastic_rsi_14", _CLOSE, 308, formulas.stochastic_strength, 14),
        _indicator("macd_12_26", _CLOSE, 296, formulas.macd, 12, 26),
        _indicator("macd_signal_12_26_9", _CLOSE, 388, formulas.macd_signal, 12, 26, 9),
        _indicator("macd_histogram_12_26_9", _CLOSE, 388, formulas.macd_histogram, 12, 26, 9),
        _indicator("trix_15", _CLOSE, 298, formulas.trix, 15),
        _indicator("roc_10", _CLOSE, 11, formulas.rate_of_change, 10),
        _indicator("sma_distance_50", _CLOSE, 50, formulas.mean_distance, 50),
        _indicator("sma_distance_200", _CLOSE, 200, formulas.mean_distance, 200),
        _indicator("ema_distance_20", _CLOSE, 228, formulas.exponential_distance, 20),
        _indicator("bollinger_position_20", _CLOSE, 20, formulas.bollinger_position, 20, 2.0),
        _indicator("bollinger_width_20", _CLOSE, 20, formulas.bollinger_width, 20, 2.0),
        _indicator("true_range", _RANGE, 2, formulas.true_range),
        _indicator("atr_14", _RANGE, 295, formulas.average_true_range, 14),
        _indicator("stochastic_k_5", _RANGE, 5, formulas.stochastic, 5),
        _indicator("stochastic_slow_k_5_3", _RANGE, 7, formulas.stochastic, 5, 3),
        _indicator("stochastic_slow_d_5_3_3", _RANGE, 9, formulas.stochastic, 5, 3, 3),
        _indicator("williams_r_14", _RANGE, 14, formulas.williams, 14),
        _indicator("cci_20", _RANGE, 20, formulas.commodity_channel, 20),
        _indicator("plus_di_14", _RANGE, 294, formulas.directional, 14, 1),
        _indicator("minus_di_14", _RANGE, 294, formulas.directional, 14, -1),
        _indicator("adx_14", ("high", "low"), 357, formulas.average_directional_index, 14),
        _indicator("aroon_up_25", ("high",), 26, formulas.aroon_up, 25),
        _indicator("aroon_down_25", ("low",), 26, formulas.aroon_down, 25),
        _indicator("aroon_oscillator_25", ("high", "low"), 26, formulas.aroon_oscillator, 25),
        _indicator("ultimate_7_14_28", _RANGE, 29, formulas.ultimate, 7, 14, 28),
        _indicator("mfi_14", _TRADED, 15, formulas.money_flow, 14),
        _indicator("obv_change_20", ("close", "volume"), 21, formulas.on_balance, 20),
        _indicator("ad_change_20", _TRADED, 20, formulas.accumulation, 20),
        _indicator("ad_oscillator_3_10", _TRADED, 105, formulas.chaikin_oscillator, 3, 10),
    ),
    # The slowest to begin, the mean of 200 closes, has one value then.
    min_sessions=200,
)
