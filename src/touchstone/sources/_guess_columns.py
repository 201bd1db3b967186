"""Which column of a stranger's file is which, by the names that are in use."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from touchstone.errors import ConfigError, name_few, nearest
from touchstone.sources._files_columns import read_header
from touchstone.sources._files_layout import Layout

__all__ = ["GuessedColumns", "guess_columns"]

# By field, the likeliest first; compared in lower case without spaces and punctuation.
_NAMES = {
    "date": ("date", "datetime", "timestamp", "time", "tradedate", "tradingday", "day", "session"),
    "symbol": ("symbol", "ticker", "tic", "tickersymbol", "instrument", "name"),
    "open": ("open", "openprice", "opening"),
    "high": ("high", "highprice"),
    "low": ("low", "lowprice"),
    "close": ("close", "closeprice", "closing", "closelast", "last", "price", "adjclose", "adjustedclose"),
    "volume": ("volume", "vol", "tradedvolume", "totalvolume"),
    "vwap": ("vwap", "volumeweightedaverageprice"),
}


@dataclass(frozen=True)
class GuessedColumns:
    """What was made of a file's header.

    Parameters
    ----------
    columns : mapping
        Our field → column in the file, in our order; each column once. Without a column for ``symbol`` none is named.
    header : tuple of str
        All columns of the file.
    """

    columns: Mapping[str, str]
    header: tuple[str, ...]

    def corrected(self, told: Mapping[str, str]) -> dict[str, str]:
        """What was told, and the guesses for the rest; a column that was told for one field is not guessed for another.

        Raises
        ------
        ConfigError
            An unknown field, or no column for the date or the close.
        """
        unknown = [field for field in told if field not in _NAMES]
        if unknown:
            raise ConfigError(f"Columns are told for our fields, but got '{unknown[0]}': {nearest(unknown[0], _NAMES)}.")
        columns = {**{field: column for field, column in self.columns.items() if column not in told.values()}, **told}
        lacking = [field for field in ("date", "close") if field not in columns]
        if lacking:
            raise ConfigError(
                f"Bars need a date and a close, but none of the columns ({name_few(self.header)}) is recognised as {lacking[0]}: "
                f"say which one it is, with --column {lacking[0]}=… or columns={{'{lacking[0]}': …}}."
            )
        return columns


def guess_columns(path: str | Path) -> GuessedColumns:
    """Map our fields to the columns of a file (or of the first one of a folder) that look like them.

    A close is taken before an adjusted close, as opens, highs and lows are seldom adjusted with it; the adjusted one is taken where
    there is no other. What is not recognised is left out.

    Parameters
    ----------
    path : str or Path
        As for the source ``files``.

    Raises
    ------
    SourceError
        As the source ``files``: no such path, or an unreadable file.
    """
    layout = Layout.of(path)
    header = (*read_header(layout.paths[0]), *layout.keys)
    bare = {re.sub(r"[^a-z]", "", column.lower()): column for column in reversed(header)}
    likeliest = {field: next((bare[name] for name in names if name in bare), None) for field, names in _NAMES.items()}
    return GuessedColumns({field: column for field, column in likeliest.items() if column is not None}, header)
