"""What the pages point at is there: links, paths, commands and their options, targets of make."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from touchstone.cli import cli

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
# Written by a run, by people or by `touchstone refresh`; a clone has none of them.
_WRITTEN = ("data/00_external/tables/", "data/02_intermediate/", "conf/local/")
# In the repositories of alpaca-py and yahoo-finance2.
_ELSEWHERE = ("tests/data/", "tests/fixtures/")


def _id(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def _shown(text: str) -> list[list[str]]:
    """Commands of `touchstone` in code, as lists of words."""
    code = [*re.findall(r"```[a-z]*\n(.*?)```", text, flags=re.DOTALL), *re.findall(r"(?<!`)`([^`\n]+)`(?!`)", text)]
    lines = (line.strip().removeprefix("$ ") for block in code for line in block.splitlines())
    return [line.partition("#")[0].split()[1:] for line in lines if line.startswith("touchstone ")]


def _found(words: list[str]) -> tuple[click.Command, list[str]]:
    """The command that the words name, and the words after it."""
    command: click.Command = cli
    while isinstance(command, click.Group) and words:
        name, *words = words
        assert name in command.commands, f"no command is called '{name}'"
        command = command.commands[name]
    return command, words


@pytest.mark.parametrize("page", PAGES, ids=_id)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if "://" not in link and not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=_id)
def test_every_path_of_the_repository_it_names_is_there(page: Path) -> None:
    named = re.findall(r"`((?:tests|benchmarks|notebooks|conf|docs|ledger|data)/[\w./*-]*)`", page.read_text(encoding="utf-8"))
    assert [path for path in named if not path.startswith(_WRITTEN + _ELSEWHERE) and not any(ROOT.glob(path.rstrip("/")))] == []


@pytest.mark.parametrize("page", PAGES, ids=_id)
def test_every_command_it_shows_has_these_options(page: Path) -> None:
    for words in _shown(page.read_text(encoding="utf-8")):
        if "|" in words or "…" in words:  # a list of commands, or their family
            continue
        command, rest = _found(words)
        known = {option for parameter in command.params for option in parameter.opts}
        given = {word.partition("=")[0] for word in rest if word.startswith("--")}
        assert given <= known, f"touchstone {' '.join(words)}: {sorted(given - known)}"


@pytest.mark.parametrize("page", PAGES, ids=_id)
def test_every_target_it_names_is_in_the_makefile(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    assert set(re.findall(r"`make ([a-z]+)", page.read_text(encoding="utf-8"))) <= targets
