from __future__ import annotations

import pytest

from touchstone.errors import LineageError
from touchstone.lineage import closure, code_hash, digest

SOURCES = {
    "pkg": "",
    "pkg.run": "import numpy\nfrom pkg.a import f\nimport pkg.deep.b.c\n",
    "pkg.a": "from pkg.a._private import f\n",
    "pkg.a._private": "def f():\n    from pkg import late\n    return late\n",
    "pkg.late": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from pkg.typed import T\n",
    "pkg.typed": "T = int\n",
    "pkg.deep": "import pkg.from_parent\n",
    "pkg.from_parent": "",
    "pkg.deep.b": "from . import sibling\nfrom .c import g\nfrom .. import cousin\n",
    "pkg.deep.b.c": "g = 1\n",
    "pkg.deep.b.sibling": "",
    "pkg.deep.cousin": "",
    "pkg.dynamic": "from importlib import import_module\nimport_module('pkg.named')\nimport_module(str())\n",
    "pkg.named": "",
    "pkg.unused": "from pkg.run import x\n",
}


def test_the_closure_holds_exactly_what_may_be_loaded() -> None:
    assert closure(SOURCES, ["pkg.run"]) == (
        "pkg",
        "pkg.a",
        "pkg.a._private",
        "pkg.deep",
        "pkg.deep.b",
        "pkg.deep.b.c",
        "pkg.deep.b.sibling",
        "pkg.deep.cousin",
        "pkg.from_parent",
        "pkg.late",
        "pkg.run",
        "pkg.typed",
    )


def test_a_module_imported_by_its_written_name_counts() -> None:
    assert closure(SOURCES, ["pkg.dynamic"]) == ("pkg", "pkg.dynamic", "pkg.named")


def test_circles_end() -> None:
    assert closure({"a": "import b", "b": "import a"}, ["a"]) == ("a", "b")


def test_an_unknown_root_names_the_nearest_and_broken_code_its_module() -> None:
    with pytest.raises(LineageError, match=r"'pkg.rum'.*did you mean 'pkg.run'"):
        closure(SOURCES, ["pkg.rum"])
    with pytest.raises(LineageError, match="'broken' does not"):
        closure({"broken": "def"}, ["broken"])


def test_the_code_hash_follows_paths_and_contents_in_any_order() -> None:
    files = {"src/a.py": b"1", "src/b.py": b"2"}
    assert code_hash(files) == code_hash(dict(reversed(files.items())))
    assert code_hash(files) == code_hash({path: digest(payload) for path, payload in files.items()})
    assert code_hash(files) != code_hash({**files, "src/b.py": b"3"})
    assert code_hash(files) != code_hash({"src/a.py": b"1", "src/c.py": b"2"})
