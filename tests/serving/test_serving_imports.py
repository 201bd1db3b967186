"""The service carries neither MLflow nor torch: half a gigabyte that no prediction needs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

_PROGRAM = """
import json, sys
from pathlib import Path
from touchstone import arithmetic
arithmetic.pin()
import touchstone.serving._service
from touchstone.serving._bundle import load_bundle
from touchstone.serving._predict import predict
from touchstone.tracking import ServedModel
scores = {}
for model in ("ridge", "lightgbm"):
    bundle = load_bundle(ServedModel(version=1, run_id="one", bundle=Path(sys.argv[1], model), verdict="passed"))
    answer = predict(bundle, Path(sys.argv[1], "body.json").read_bytes(), alias="champion")
    scores[model] = [pair.score for pair in answer.scores]
heavy = {"mlflow", "torch", "kedro", "dvc", "optuna", "matplotlib"} & set(sys.modules)
print(json.dumps({"heavy": sorted(heavy), "scores": scores}))
"""


def test_a_prediction_in_a_fresh_process(research: Any, body: dict[str, Any], tmp_path: Path) -> None:
    for model in research.fitted:
        research.write(tmp_path / model, model)
    (tmp_path / "body.json").write_text(json.dumps(body))
    done = subprocess.run([sys.executable, "-c", _PROGRAM, str(tmp_path)], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    last = research.matrix.xs(research.matrix.index[-1][0], level="date", drop_level=False)
    assert told == {"heavy": [], "scores": {name: model.predict(last).tolist() for name, model in research.fitted.items()}}
