"""`touchstone refresh`: the one command that fetches."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from touchstone.errors import ConfigError, DataError, name_few
from touchstone.parameters import Timeframe
from touchstone.root import project_root

if TYPE_CHECKING:
    from touchstone.market import MarketData
    from touchstone.parameters import DataParameters
    from touchstone.sources.network import Refreshed

__all__ = ["refresh"]

Tell = Callable[[str, int, int], None]


@click.command()
@click.argument("source", required=False)
@click.option("--symbol", "symbols", multiple=True, help="Symbol or series; several times for several. Default: those of params.yaml.")
@click.option("--start", type=click.DateTime(["%Y-%m-%d"]), default=None, help="First session; default data.start.")
@click.option("--end", type=click.DateTime(["%Y-%m-%d"]), default=None, help="Last session; default data.end, or the last that is over.")
@click.option("--calendar", default=None, help="Exchange calendar, such as 24/7 for binance; default data.calendar.")
@click.option("--timeframe", default=None, type=click.Choice(get_args(Timeframe)), help="Width of a bar; default data.timeframe.")
def refresh(source: str | None, symbols: tuple[str, ...], start: dt.datetime | None, end: dt.datetime | None, **clock: str | None) -> None:
    """Fetch what is missing of SOURCE, or of every network source that params.yaml names, and judge it."""
    from touchstone.configuration import read_parameters
    from touchstone.parameters import parse

    root = project_root()
    data = parse(read_parameters(root / "params.yaml")).data
    asked = {name: value.date() for name, value in (("start", start), ("end", end)) if value is not None}
    data = data.model_copy(update=asked | {name: value for name, value in clock.items() if value is not None})
    failures = [_one(root, name, data, symbols) for name in _names(source, data)]
    if any(failures):
        raise click.ClickException(f"{sum(failures)} symbols or series could not be fetched, as told above; the others are kept.")


def _names(source: str | None, data: DataParameters) -> list[str]:
    from touchstone.sources import is_network

    if source is not None:
        return [source]
    found = [name for name in (data.source, *data.macro_sources) if is_network(name)]
    if not found:
        raise ConfigError(
            f"Only network sources are refreshed, but params.yaml names none (data.source: {data.source}): name one, as in "
            "`touchstone refresh binance --symbol BTCUSDT --calendar 24/7`."
        )
    return found


def _one(root: Path, name: str, data: DataParameters, symbols: tuple[str, ...]) -> int:
    """Bring one source up to date, say what came, and give the number of symbols that failed."""
    from touchstone.pipelines.ingestion.fetched import section
    from touchstone.sources.network import CREDENTIALS_FILE
    from touchstone.sources.network import refresh as bring

    own = name == data.source
    with _progress(name) as tell:
        done = bring(
            name,
            start=str(data.start),
            end=None if data.end is None else str(data.end),
            symbols=symbols or (data.symbols if own else ()),
            timeframe=data.timeframe if own or name not in data.macro_sources else "1d",
            calendar=data.calendar,
            options=section(data, name),
            snapshots=root / data.snapshots,
            credentials=root / CREDENTIALS_FILE,
            tell=tell,
        )
    _say(done)
    if done.new_rows:
        _judge(root, name, data, done)
    return len(done.failed)


@contextmanager
def _progress(name: str) -> Iterator[Tell]:
    """A bar on the error stream, which leaves the output to what was found; none where nobody watches."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[symbol]}"),
        console=console,
        disable=not console.is_terminal,
    ) as bar:
        task = bar.add_task(name, total=None, symbol="")

        def tell(symbol: str, n_done: int, n_all: int) -> None:
            bar.update(task, completed=n_done, total=n_all, symbol=symbol)

        yield tell


def _say(done: Refreshed) -> None:
    new = sum(done.new_rows.values())
    click.echo(
        f"{done.source}: {done.n_requests} requests, {new} new rows of {len(done.new_rows)} symbols, "
        f"{_stamp(done.start)} to {_stamp(done.end)}, {len(done.revisions)} revisions"
    )
    for row in done.revisions.head(5).itertuples():
        click.echo(f"  revised: {row.symbol} {_stamp(row.date)} {row.field} {row.before!r} → {row.after!r}")
    if len(done.revisions) > 5:
        click.echo(f"  and {len(done.revisions) - 5} more in revisions.jsonl")
    for symbol, reason in done.failed.items():
        click.secho(f"  failed: {symbol}: {reason}", fg="red")


def _judge(root: Path, name: str, data: DataParameters, done: Refreshed) -> None:
    """The verdict that ingestion will give, and how far the bars lag."""
    from touchstone import sources
    from touchstone.market import ingest
    from touchstone.pipelines.ingestion.fetched import section

    options: dict[str, Any] = {**section(data, name), "snapshots": str(root / data.snapshots)}
    own = root / data.tables
    try:
        loaded = sources.load(
            name,
            start=data.start,
            end=data.end,
            symbols=tuple(done.new_rows),
            calendar=data.calendar,
            timeframe=data.timeframe if name not in data.macro_sources else "1d",
            tables=own if name == data.source and own.is_dir() else None,
            **options,
        )
        if loaded.bars.empty:
            click.echo(f"  {len(loaded.macro)} macro values of {loaded.macro['series'].nunique()} series")
            return
        judged = ingest(loaded)
    except DataError as problem:
        click.secho(f"  {problem}", fg="red")
        return
    counts = judged.quality["check"].value_counts().sort_index()
    click.echo(f"  {len(judged.bars)} rows clean, {len(judged.quarantine)} quarantined: " + _counted(dict(counts)))
    _freshness(loaded, data, done)


def _counted(counts: dict[Any, Any]) -> str:
    return ", ".join(f"{check} {count}" for check, count in counts.items()) or "no findings"


def _freshness(loaded: MarketData, data: DataParameters, done: Refreshed) -> None:
    from touchstone.market import freshness

    about = loaded.metadata
    is_gated = data.max_age_sessions is not None or data.max_age_minutes is not None
    found = freshness(
        loaded.bars,
        calendar=about.calendar,
        timeframe=about.timeframe,
        expected=done.end,
        max_age_sessions=data.max_age_sessions if is_gated else 0,
        max_age_minutes=data.max_age_minutes,
        universe=loaded.universe,
        actions=loaded.actions,
        symbols=tuple(done.new_rows),
    )
    what = "lag beyond the limit, a run would stop" if is_gated else "end earlier (no limit is set, a run would go on)"
    late = "" if found.lagging.empty else f"; {len(found.lagging)} {what}: {name_few(found.lagging['symbol'])}"
    click.echo(f"  last bar {_stamp(found.last_seen)}, expected {_stamp(found.expected)}{late}")


def _stamp(moment: Any) -> str:
    """A session as its date, the close of an intraday bar with its time."""
    return f"{moment:%Y-%m-%d}" if moment == moment.normalize() else f"{moment:%Y-%m-%d %H:%M}"
