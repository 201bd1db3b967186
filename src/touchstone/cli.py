"""The command line: `touchstone …`, and the same commands beside Kedro's own in a project."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from kedro.io import DatasetError

from touchstone import arithmetic
from touchstone.commands import data, factor, refresh
from touchstone.errors import ConfigError, TouchstoneError
from touchstone.root import enclosing_project, project_root

__all__ = ["cli", "main"]


@contextmanager
def one_sentence() -> Iterator[None]:
    """A user's mistake is one sentence and a non-zero exit, never a traceback."""
    try:
        yield
    except (TouchstoneError, DatasetError) as error:  # Kedro wraps what a dataset raises
        told = _cause(error)
        if told is None:
            raise
        raise click.ClickException(str(told)) from None


def _cause(error: BaseException | None) -> TouchstoneError | None:
    """The user's mistake behind an error; None where there is none, and the error is a bug."""
    while error is not None and not isinstance(error, TouchstoneError):
        error = error.__cause__
    return error


class _Commands(click.Group):
    def invoke(self, ctx: click.Context) -> Any:
        with one_sentence():
            return super().invoke(ctx)


@click.group(cls=_Commands)
def cli() -> None:
    """Touchstone: from prices to a judged, reported and served model."""


def main() -> None:
    """Entry point of `touchstone`."""
    arithmetic.pin_or_restart()
    cli(prog_name="touchstone")


def _root() -> Path:
    return project_root()


def _kedro_run() -> click.Command:
    """Kedro's own `run`, with a user's mistake told in one sentence; it also works as `touchstone run`."""
    logging.disable(logging.INFO)  # outside a project Kedro announces its logging on stdout, where an answer in JSON belongs
    try:
        from kedro.framework.cli.project import run
    finally:
        logging.disable(logging.NOTSET)
    inner = run.callback

    def callback(**options: Any) -> Any:
        from kedro.framework import project, startup

        if project.PACKAGE_NAME is None:  # Kedro's own command line has loaded the project by now
            startup.bootstrap_project(enclosing_project(Path.cwd()) or _root())
        with one_sentence():
            return inner(**options)

    return click.Command("run", params=run.params, callback=callback, help=run.help)


cli.add_command(_kedro_run())
cli.add_command(data)
cli.add_command(factor)
cli.add_command(refresh)


@cli.command()
def doctor() -> None:
    """Check this installation in seconds."""
    from touchstone.doctor import examine

    findings = examine(_root())
    for finding in findings:
        click.secho(f"{'ok  ' if finding.well else 'FAIL'} {finding.what}", fg="green" if finding.well else "red")
    if not all(finding.well for finding in findings):
        raise ConfigError("Every check above must be ok: mend what failed, `make setup` installs what is pinned.")


@cli.command("dvc-sync")
@click.option("--check", is_flag=True, help="Only say whether dvc.yaml is in step.")
def dvc_sync(check: bool) -> None:
    """Write dvc.yaml from the pipelines and the catalog."""
    from touchstone.project import generated_dvc_yaml

    path = _root() / "dvc.yaml"
    text = generated_dvc_yaml(_root())
    if check and (not path.exists() or path.read_text() != text):
        raise ConfigError("dvc.yaml must be what the pipelines and the catalog say, but it differs: run `touchstone dvc-sync`.")
    if not check:
        path.write_text(text)
    click.echo("dvc.yaml is in step with the pipelines")


@cli.command()
@click.option("--run", "run_id", default=None, help="Run id or its beginning; the run in data/ when left out.")
def show(run_id: str | None) -> None:
    """A run: headline numbers, verdict and where the report lies."""
    from rich.console import Console

    from touchstone.console import summary
    from touchstone.notebook import open_run

    Console().print(summary(open_run(run_id, root=_root())))


@cli.command()
def register() -> None:
    """Put the last run's model into the registry as `candidate`; a run registered before is left as it is."""
    from touchstone.tracking import register as register_run

    done = register_run(_root())
    click.echo(f"registered: touchstone version {done.version}, alias candidate, run {done.run_id}")


@cli.command()
@click.option("--run", "run_id", default=None, help="Run id; the candidate's when left out.")
def promote(run_id: str | None) -> None:
    """Move `champion` to a run that the gate passed."""
    from touchstone.tracking import promote as promote_run

    done = promote_run(_root(), run_id)
    click.echo(f"promoted: touchstone version {done.version} is champion, run {done.run_id}")


@cli.command()
@click.argument("run_id")
def verify(run_id: str) -> None:
    """Run an archived run again in a clean place and compare every output."""
    from touchstone.tracking import verify as verify_run

    report = verify_run(run_id, root=_root())
    for path in report.differing:
        click.secho(f"differs: {path}", fg="red")
    click.echo(f"{report.n_compared} outputs compared, {len(report.differing)} differ")
    if not report.passed:
        raise click.ClickException(f"run {run_id} did not give the same bytes again.")


@cli.command()
@click.argument("name")
@click.option("--run", "run_id", default=None, help="Run id; the last run when left out.")
@click.option("-p", "--parameter", "pairs", multiple=True, help="key=value, typed as the notebook's own parameter.")
@click.option("-o", "--output", default=None, type=click.Path(path_type=Path), help="HTML to write; default reports/NAME-RUN.html.")
def report(name: str, run_id: str | None, pairs: tuple[str, ...], output: Path | None) -> None:
    """Render a notebook of notebooks/reports for a run."""
    from touchstone.project import write_report

    click.echo(f"written: {write_report(_root(), name, run_id=run_id, pairs=pairs, output=output)}")


@cli.command()
@click.option("--port", default=3000, show_default=True)
def serve(port: int) -> None:
    """Serve the champion over HTTP on this machine."""
    from touchstone.serving import start

    sys.exit(start(_root(), port=port))


@cli.command(context_settings={"ignore_unknown_options": True})
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
def lab(options: tuple[str, ...]) -> None:
    """JupyterLab with the project loaded: `catalog`, `context`, `pipelines`, `session`. OPTIONS go to JupyterLab."""
    root = _root()
    # Asking for newer versions of itself would phone home.
    quiet = "--LabApp.check_for_updates_class=jupyterlab.handlers.announcements.NeverCheckForUpdate"
    command = [sys.executable, "-m", "jupyter", "lab", quiet, *options]
    sys.exit(subprocess.call(command, cwd=root, env={**os.environ, **_lab_environment(root)}))


def _lab_environment(root: Path) -> dict[str, str]:
    """What makes every Python kernel of this lab load the project: a kernel of its own, kept in the project and not in the home folder."""
    own = root / ".touchstone" / "jupyter"
    kernel = own / "kernels" / "python3"
    kernel.mkdir(parents=True, exist_ok=True)
    start = [
        sys.executable,
        "-m",
        "ipykernel_launcher",
        "-f",
        "{connection_file}",
        "--ext",
        "kedro.ipython",
        "--ext",
        "touchstone.notebook",
    ]
    (kernel / "kernel.json").write_text(json.dumps({"argv": start, "display_name": "Touchstone", "language": "python"}))
    folders = [str(own), *filter(None, [os.environ.get("JUPYTER_PATH")])]
    return {"JUPYTER_PATH": os.pathsep.join(folders), "KEDRO_LOGGING_CONFIG": str(root / "conf" / "logging.yml")}
