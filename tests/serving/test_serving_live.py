"""One real server: BentoML, a registry written by MLflow's own client, HTTP over a loopback port."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from touchstone.tracking import registered_models

pytestmark = pytest.mark.slow

_COMMAND = "import pathlib, sys; from touchstone.serving import start; sys.exit(start(pathlib.Path(sys.argv[1]), port=int(sys.argv[2])))"
_VERDICTS = {"ridge": "passed", "lightgbm": "rejected"}


@pytest.fixture(scope="module")
def project(research: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two registered versions: ridge, which passed, is champion; lightgbm is candidate."""
    from mlflow import MlflowClient

    root = tmp_path_factory.mktemp("project")
    (root / "mlruns").mkdir()
    client = MlflowClient(tracking_uri=f"sqlite:///{root}/mlruns/mlflow.db")
    client.create_registered_model("touchstone")
    for version, (model, verdict) in enumerate(_VERDICTS.items(), start=1):
        bundle = root / "mlruns" / "artifacts" / model / "bundle"
        research.write(bundle, model)
        client.create_model_version("touchstone", source=bundle.as_uri(), tags={"run_id": f"{version}" * 64, "verdict": verdict})
    client.set_registered_model_alias("touchstone", "champion", "1")
    client.set_registered_model_alias("touchstone", "candidate", "2")
    return root


@pytest.fixture
def move(project: Path) -> Callable[[str, str], None]:
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=f"sqlite:///{project}/mlruns/mlflow.db")
    return lambda alias, version: client.set_registered_model_alias("touchstone", alias, version)


@pytest.fixture(scope="module")
def server(project: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        port = door.getsockname()[1]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("TOUCHSTONE_", "BENTOML", "DVC_"))}
    log = (project / "server.log").open("wb")
    process = subprocess.Popen([sys.executable, "-c", _COMMAND, str(project), str(port)], env=clean, stdout=log, stderr=subprocess.STDOUT)
    try:
        _until(lambda: httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200, process)
        yield process, f"http://127.0.0.1:{port}"
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(60)
        log.close()


def _until(holds: Callable[[], bool], process: subprocess.Popen[bytes], seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert process.poll() is None, "the server ended"
        try:
            if holds():
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    pytest.fail("the server did not get there in time")


def test_the_list_is_what_mlflow_says(project: Path) -> None:
    from mlflow import MlflowClient

    versions = MlflowClient(tracking_uri=f"sqlite:///{project}/mlruns/mlflow.db").search_model_versions("name = 'touchstone'")
    theirs = {version.version: (version.tags["run_id"], version.tags["verdict"]) for version in versions}
    ours = registered_models(project)
    assert {int(model.version): (model.run_id, model.verdict) for model in ours} == {int(key): value for key, value in theirs.items()}
    assert [(model.version, model.aliases) for model in ours] == [("2", ["candidate"]), ("1", ["champion"])]


def test_predict_models_health_metrics_and_the_limit(
    research: Any, body: dict[str, Any], server: tuple[subprocess.Popen[bytes], str]
) -> None:
    _, address = server
    with httpx.Client(base_url=address, timeout=60) as client:
        answer = client.post("/api/v1/predict", json=body)
        assert answer.status_code == 200, answer.text
        last = research.matrix.xs(research.matrix.index[-1][0], level="date", drop_level=False)
        assert [pair["score"] for pair in answer.json()["scores"]] == research.fitted["ridge"].predict(last).tolist()
        assert (answer.json()["model_version"], answer.json()["run_id"]) == ("1", "1" * 64)
        assert client.get("/api/v1/models").json()["serving"] == "1"
        assert {client.get(path).status_code for path in ("/livez", "/readyz", "/healthz")} == {200}
        assert client.post("/api/v1/predict", content=b"bars").status_code == 422
        refused = client.post("/api/v1/predict", content=b"x" * 33 * 2**20)
        assert refused.status_code == 413
        lines = client.get("/metrics").text.splitlines()
    counted = {status: line for line in lines for status in ("200", "422", "413") if _counts(line, status)}
    assert {status: float(line.split()[-1]) for status, line in counted.items()} == {"200": 1.0, "422": 1.0, "413": 1.0}
    assert any(line.startswith("bentoml_service_request_duration_seconds_bucket") and "/api/v1/predict" in line for line in lines)


def _counts(line: str, status: str) -> bool:
    return line.startswith("bentoml_service_request_total") and '"/api/v1/predict"' in line and f'"{status}"' in line


def test_a_promotion_is_followed_without_a_restart(
    research: Any, body: dict[str, Any], server: tuple[subprocess.Popen[bytes], str], move: Callable[[str, str], None]
) -> None:
    process, address = server
    move("champion", "2")
    _until(lambda: httpx.get(f"{address}/api/v1/models").json()["serving"] == "2", process, 30)
    answer = httpx.post(f"{address}/api/v1/predict", json=body, timeout=60).json()
    last = research.matrix.xs(research.matrix.index[-1][0], level="date", drop_level=False)
    assert [pair["score"] for pair in answer["scores"]] == research.fitted["lightgbm"].predict(last).tolist()
    assert (answer["model_version"], answer["run_id"], answer["verdict"]) == ("2", "2" * 64, "rejected")


def test_sigterm_ends_it(server: tuple[subprocess.Popen[bytes], str], project: Path) -> None:
    process, address = server
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{address}/livez")
    assert "Traceback" not in (project / "server.log").read_text()
    assert (project / ".touchstone" / "bentoml").is_dir()
