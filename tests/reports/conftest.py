"""One finished run for all tests of the folder; nobody writes into it."""

from __future__ import annotations

from pathlib import Path

import pytest
from finished_run import write_run


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("project")
    write_run(root)
    return root
