"""The whole loop on an S3 server gives what it gives here, and everything that reads a run finds it there."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import pandas as pd
import pytest

from touchstone.notebook import open_run
from touchstone.remote import Remote

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def on_s3(
    s3_address: str, new_project: Callable[[Path], Path], runner: Callable[..., None], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, Remote]]:
    """A project whose outputs lie in a bucket, after one run."""
    boto3.client("s3", endpoint_url=s3_address).create_bucket(Bucket="loop")
    root, store = new_project(tmp_path_factory.mktemp("on_s3") / "project"), Remote("s3://loop/a lab/data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TOUCHSTONE_DATA_ROOT", str(store))
        runner(root)
        yield root, store


def _held(store: Remote) -> dict[str, bytes]:
    system, path = store.opened()
    return {name.removeprefix(f"{path}/"): system.cat_file(name) for name in system.find(path)}


def test_the_manifest_is_that_of_a_local_run_to_the_byte(on_s3: tuple[Path, Remote], finished_run: Path) -> None:
    root, store = on_s3
    assert (store / "08_reporting/manifest.json").read_bytes() == (finished_run / "data/08_reporting/manifest.json").read_bytes()
    assert not [path for path in (root / "data").rglob("*") if path.is_file()]


def test_no_side_file_is_left_in_the_bucket(on_s3: tuple[Path, Remote]) -> None:
    manifest = json.loads((on_s3[1] / "08_reporting/manifest.json").read_bytes())
    assert set(_held(on_s3[1])) == {name.removeprefix("data/") for name in [*manifest["outputs"], "data/08_reporting/manifest.json"]}


def test_notebooks_and_the_archive_find_the_run(on_s3: tuple[Path, Remote], finished_run: Path) -> None:
    root, _ = on_s3
    run = open_run(root=root)
    assert run.folder == on_s3[1]
    assert run.record("scorecard") == json.loads((finished_run / "data/08_reporting/scorecard.json").read_bytes())
    pd.testing.assert_frame_equal(run.table("equity"), pd.read_parquet(finished_run / "data/07_model_output/equity.parquet"))
    for path in run.record("manifest")["outputs"]:
        assert (root / "runs" / run.run_id / "outputs" / path.removeprefix("data/")).read_bytes() == (finished_run / path).read_bytes()


def test_the_model_is_registered_from_the_bucket(on_s3: tuple[Path, Remote]) -> None:
    from touchstone.tracking import register

    served = register(on_s3[0])
    assert (served.bundle / "model.txt").read_bytes() == (on_s3[1] / "06_models/model.txt").read_bytes()


def test_a_run_that_fails_puts_the_bucket_back(
    on_s3: tuple[Path, Remote], runner: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    root, store = on_s3
    before = _held(store)

    def fail(*_: object) -> None:
        raise RuntimeError("power cut")

    monkeypatch.setattr("touchstone.pipelines.validation.nodes.headline", fail)
    with pytest.raises(RuntimeError, match="power cut"):
        runner(root, stages=("validation",), validation={"n_resamples": 100})
    assert _held(store) == before
