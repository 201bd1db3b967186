"""DVC keeps outputs in a bucket: what was pushed comes back, and nothing is out of step then."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import boto3
import pytest

from touchstone.remote import Remote

pytestmark = pytest.mark.slow

STAGES = """
stages:
  ingestion:
    cmd: mkdir -p data/03_primary && cp prices.csv data/03_primary/bars.csv && wc -l < prices.csv > data/metrics.json
    deps: [prices.csv]
    outs: [data/03_primary/bars.csv]
    metrics:
    - data/metrics.json: {cache: false}
"""


@pytest.fixture
def lab(tmp_path: Path, bucket: Remote, s3_address: str) -> Path:
    """A folder with one stage and a remote in a bucket; DVC without git starts sooner and does the same."""
    (tmp_path / ".dvc").mkdir()
    remote = f"['remote \"store\"']\nurl = {bucket / 'dvc'}\nendpointurl = {s3_address}\n"
    (tmp_path / ".dvc" / "config").write_text(f"[core]\nno_scm = true\nanalytics = false\nremote = store\n{remote}")
    (tmp_path / "dvc.yaml").write_text(STAGES)
    (tmp_path / "prices.csv").write_text("date,close\n2020-01-02,1.5\n")
    return tmp_path


def _dvc(lab: Path, *command: str) -> str:
    # The client talks to the server on loopback only.
    environment = {**os.environ, "DVC_NO_ANALYTICS": "1", "NO_PROXY": "127.0.0.1"}
    answer = subprocess.run([sys.executable, "-m", "dvc", *command], cwd=lab, env=environment, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, (answer.stdout + answer.stderr)[-3000:]
    return answer.stdout + answer.stderr


def test_what_was_pushed_to_the_bucket_comes_back(lab: Path, bucket: Remote, s3_address: str) -> None:
    _dvc(lab, "repro")
    _dvc(lab, "push")
    assert boto3.client("s3", endpoint_url=s3_address).list_objects_v2(Bucket=bucket.name)["KeyCount"] >= 1
    bars = lab / "data" / "03_primary" / "bars.csv"
    held = bars.read_bytes()
    shutil.rmtree(lab / ".dvc" / "cache")
    shutil.rmtree(bars.parent)
    _dvc(lab, "pull")
    assert bars.read_bytes() == held
    assert "up to date" in _dvc(lab, "status")
    assert "in sync" in _dvc(lab, "status", "--cloud")
