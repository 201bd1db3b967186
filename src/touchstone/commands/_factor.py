"""`touchstone factor …`: a researcher's own factors, from a notebook into the project."""

from __future__ import annotations

import json
from pathlib import Path

import click

from touchstone.commands._factor_save import save_factor, saved_factors
from touchstone.errors import ConfigError
from touchstone.root import project_root

__all__ = ["factor"]


@click.group()
def factor() -> None:
    """Your own factors: save one from a notebook, list those saved."""


@factor.command()
@click.argument("name")
@click.option("--from", "source", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Notebook or module.")
@click.option("--force", is_flag=True, help="Overwrite another version.")
def save(name: str, source: Path, force: bool) -> None:
    """Audit factor NAME as a notebook or module defines it, and write it where every run finds it by name."""
    done = save_factor(name, _cells(source), origin=source.name, root=project_root(), force=force)
    click.echo(f"saved: {done.path.as_posix()}; name '{name}' in features.sets to use it in a run")


@factor.command("list")
def list_saved() -> None:
    """Factors that the project holds, where they came from, and whether they are as they were saved."""
    for one in saved_factors(project_root()):
        state = "" if one.is_as_saved else "  changed since it was saved: save it again"
        click.echo(f"{one.name}  from {one.origin or 'an unknown place'}{state}")


def _cells(source: Path) -> list[str]:
    if source.suffix != ".ipynb":
        return [source.read_text(encoding="utf-8")]
    try:
        cells = json.loads(source.read_text(encoding="utf-8"))["cells"]
    except (json.JSONDecodeError, KeyError) as error:
        raise ConfigError(f"A notebook must be JSON with cells, but {source.name} is not ({error}): save it from Jupyter.") from None
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
