"""`touchstone factor report`: features held against the returns that followed, in one page."""

from __future__ import annotations

from pathlib import Path

import click

from touchstone.root import project_root

__all__ = ["factor_report"]


@click.command("report")
@click.option("--sets", default="", help="Feature sets, comma between them; those of the parameters when left out.")
@click.option(
    "--transform", default="", type=click.Choice(["", "rank", "none"]), help="Of the features; as the parameters say when left out."
)
@click.option(
    "--through", default="", help="Last day that a label may look at. From the first backtest session on, each feature is a trial."
)
@click.option("--run", "run_id", default=None, help="Run id or its beginning; what lies in data/ when left out.")
@click.option("--out", "output", default=None, type=click.Path(path_type=Path), help="HTML to write; default reports/factors-RUN.html.")
def factor_report(sets: str, transform: str, through: str, run_id: str | None, output: Path | None) -> None:
    """Coverage, rank IC, quantiles, decay, turnover, clusters and a leaderboard that counts how many were tested.

    Only labels that end before the first backtest session are looked at, unless --through names a later day.
    """
    from touchstone.project import write_report

    given = {"sets": sets, "transform": transform, "through": through}
    pairs = [f"{name}={value}" for name, value in given.items() if value]
    click.echo(f"written: {write_report(project_root(), 'factors', run_id=run_id, pairs=pairs, output=output)}")
