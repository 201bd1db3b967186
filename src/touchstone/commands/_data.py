"""`touchstone data …`: the verdict on one's own files, what a project holds, and the first rows of it."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from touchstone.errors import ConfigError
from touchstone.parameters import Timeframe

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table

    from touchstone.inspection import Validation

__all__ = ["data"]

_ADJUSTMENTS = ("none", "split", "total_return")
_WORST = 10
_UNITS = ("B", "kB", "MB", "GB", "TB")
# Where nobody watches, lines are kept whole for whatever reads them.
_WIDE = 200


@click.group()
def data() -> None:
    """Look at data: validate files of your own, list and preview what the project holds."""


@data.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--calendar", default="XNYS", show_default=True, help="Exchange calendar of the sessions.")
@click.option("--timeframe", default="1d", show_default=True, type=click.Choice(get_args(Timeframe)), help="Width of a bar.")
@click.option("--adjustment", default="none", show_default=True, type=click.Choice(_ADJUSTMENTS), help="What the prices are.")
@click.option("--column", "columns", multiple=True, help="ours=theirs, such as close='Adj Close'; several times for several.")
@click.option("--timezone", default=None, help="Of intraday times without a zone; default UTC.")
@click.option(
    "--stamp", default=None, type=click.Choice(["close", "open"]), help="Which end of an intraday bar its time is; default close."
)
@click.option("--json", "as_json", is_flag=True, help="Everything as JSON, every finding included.")
def validate(files: tuple[Path, ...], columns: tuple[str, ...], as_json: bool, **options: Any) -> None:
    """The verdict that ingestion would give on FILES (CSV or Parquet, or folders of them).

    Exit code 0 when no row would be quarantined and no finding is an error, 1 otherwise.
    """
    from touchstone.inspection import validate_files

    given = {name: value for name, value in options.items() if value is not None}
    verdict = validate_files(files, columns=_pairs(columns, "--column", "ours=theirs"), **given)
    if as_json:
        click.echo(_json(verdict))
    else:
        _print(*_told(verdict))
    if not verdict.passed:
        raise click.exceptions.Exit(1)


@data.command("list")
@click.option("--run", "run_id", default=None, help="Run id or its beginning; what lies in data/ when left out.")
@click.option("--no-hash", is_flag=True, help="Leave the hashes out, which need every byte read.")
def list_(run_id: str | None, no_hash: bool) -> None:
    """The datasets of the project: layer, rows, symbols, span, size and hash."""
    from touchstone.inspection import list_data

    _print(_datasets(list_data(run_id=run_id, hashes=not no_hash)))


@data.command()
@click.argument("name")
@click.option("--rows", "n_rows", default=10, show_default=True, type=click.IntRange(1), help="Rows at most.")
@click.option("--symbol", default=None, help="This symbol only.")
@click.option("--start", default=None, help="First day.")
@click.option("--end", default=None, help="Last day.")
@click.option("--where", multiple=True, help="column=value, such as check=high_low; several times for several.")
@click.option("--run", "run_id", default=None, help="Run id or its beginning; what lies in data/ when left out.")
def preview(name: str, where: tuple[str, ...], **options: Any) -> None:
    """The first rows of table NAME that pass the filters; nothing else is read."""
    from touchstone.inspection import preview as read

    rows = read(name, where=_pairs(where, "--where", "column=value"), **options)
    if rows.empty:
        raise ConfigError(f"A preview shows rows of '{name}', but none passes the filters: widen them.")
    flat = rows.reset_index() if rows.index.names != [None] else rows
    _print(_table(name, flat))


def _pairs(given: tuple[str, ...], option: str, form: str) -> dict[str, str]:
    parts = [pair.partition("=") for pair in given]
    wrong = next((pair for pair, (_, sign, _) in zip(given, parts, strict=True) if not sign), None)
    if wrong is not None:
        raise ConfigError(f"{option} is given as {form}, but got '{wrong}': write both with an equal sign between.")
    return {name: value for name, _, value in parts}


def _told(verdict: Validation) -> Iterable[Any]:
    metadata = verdict.metadata
    assumed = f"calendar {metadata.calendar}, timeframe {metadata.timeframe}, adjustment {metadata.adjustment}"
    yield f"{verdict.n_rows:,} rows in = {verdict.n_clean:,} clean + {verdict.n_quarantined:,} quarantined ({assumed})"
    read = (f"{name} from '{column}'" + (" (guessed)" if name in verdict.guessed else "") for name, column in verdict.columns.items())
    yield "columns: " + ", ".join(read)
    if "symbol" not in verdict.columns:
        yield "symbols: from the names of the files"
    yield f"for a run, in params.yaml: data.files: {{columns: {_mapping(verdict)}, adjustment: {metadata.adjustment}}}"
    if verdict.unread:
        yield "not read: " + ", ".join(f"'{column}'" for column in verdict.unread)
    yield from (f"note: {caveat}" for caveat in metadata.caveats)
    if len(verdict.findings):
        yield _checks(verdict.by_check)
        yield _worst(verdict.worst(_WORST), len(verdict.findings))
    if 2 * int((verdict.findings["check"] == "not_a_session").sum()) > verdict.n_rows:
        yield "hint: most rows stand where the exchange has no bar: see --calendar, --timeframe and, below a day, --timezone and --stamp"
    errors = int((verdict.findings["severity"] == "error").sum())
    failed = f"FAILED: {verdict.n_quarantined:,} rows would be quarantined; {errors:,} findings are errors."
    yield "PASSED: no row would be quarantined." if verdict.passed else failed


def _mapping(verdict: Validation) -> str:
    """The columns as YAML on a line; JSON quotes are YAML's, too."""
    import json

    return "{" + ", ".join(f"{name}: {json.dumps(column, ensure_ascii=False)}" for name, column in verdict.columns.items()) + "}"


def _checks(counts: pd.DataFrame) -> Table:
    header = ["check", "severity", "findings", "quarantined", "repaired", "kept", "symbols", "first", "last"]
    return _table("findings by check", counts[header])


def _worst(findings: pd.DataFrame, n: int) -> Table:
    title = f"the worst {len(findings)} of {n:,} findings" if n > len(findings) else "findings, the worst first"
    return _table(title, findings[["symbol", "date", "check", "action", "observed", "expected"]])


def _datasets(listed: pd.DataFrame) -> Table:
    shown = listed.rename_axis("dataset").reset_index().assign(size=[_bytes(size) for size in listed["bytes"]])
    columns = ["layer", "dataset", "rows", "symbols", "first", "last", "size"]
    if "hash" not in listed:
        return _table("datasets", shown[columns])
    return _table("datasets", shown.assign(hash=shown["hash"].str[:12])[[*columns, "hash"]])


def _table(title: str, rows: pd.DataFrame) -> Table:
    from pandas.api.types import is_numeric_dtype
    from rich import box
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for column, kind in rows.dtypes.items():
        table.add_column(str(column), justify="right" if is_numeric_dtype(kind) or column == "size" else "left", overflow="fold")
    for row in rows.itertuples(index=False, name=None):
        table.add_row(*(_cell(value) for value in row))
    return table


def _print(*parts: Any) -> None:
    from rich.console import Console

    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console = Console(highlight=False, markup=False, width=_WIDE)
    for part in parts:
        console.print(part)


def _cell(value: Any) -> str:
    import pandas as pd

    if pd.isna(value):
        return "-"
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d}" if value == value.normalize() else f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, Integral) and not isinstance(value, bool):
        return f"{value:,}"
    return f"{value:,.10g}" if isinstance(value, float) else str(value)


def _bytes(size: int) -> str:
    power = min(max(0, (len(str(size)) - 1) // 3), len(_UNITS) - 1)
    return f"{size / 1000**power:.3g} {_UNITS[power]}"


def _json(verdict: Validation) -> str:
    """Sorted keys and ISO dates: the same files give the same text."""
    import json

    told = {
        "passed": verdict.passed,
        "rows": {"in": verdict.n_rows, "clean": verdict.n_clean, "quarantined": verdict.n_quarantined},
        "columns": dict(verdict.columns),
        "guessed": list(verdict.guessed),
        "unread": list(verdict.unread),
        "metadata": verdict.metadata.model_dump(mode="json"),
        "checks": _records(verdict.by_check),
        "findings": _records(verdict.worst(len(verdict.findings))),
    }
    return json.dumps(told, sort_keys=True, indent=2, allow_nan=False)


def _records(table: pd.DataFrame) -> list[dict[Any, Any]]:
    written = table.copy()
    for column in table.select_dtypes("datetime"):
        written[column] = table[column].map(lambda date: date.isoformat())
    return written.to_dict("records")
