"""The same program under MLflow and under autolog: every metric of MLflow's has its name here."""

import importlib.util
import json
import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("mlflow") is None, reason="runs the program with MLflow too"
)

PROGRAM = """
import json, sys, warnings
warnings.simplefilter("ignore")
library = sys.argv[1]
if library == "mlflow":
    import mlflow
    mlflow.set_tracking_uri("sqlite:///mlflow.db")
else:
    import autolog as mlflow
mlflow.sklearn.autolog(log_models=False)

from sklearn import metrics
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split
from sklearn.naive_bayes import GaussianNB

X, y = load_iris(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=3)
model = GaussianNB().fit(X_train, y_train)
p = model.predict(X_test)
metrics.accuracy_score(y_test, p)
metrics.f1_score(y_test, p, average="macro")
metrics.accuracy_score(y_true=y_train, y_pred=model.predict(X_train))
metrics.log_loss(y_test, model.predict_proba(X_test), labels=[0, 1, 2])
metrics.confusion_matrix(y_test, p)
model.score(X_train, y_train)
model.score(X_test, y_test)


def evaluate(estimator, data, target):
    return metrics.accuracy_score(target, estimator.predict(X=data))


evaluate(model, X_test, y_test)
first, X_test, y_test = y_test, X_test[5:].copy(), y_test[5:].copy()
evaluate(model, X_test, y_test)
metrics.accuracy_score(first, p.tolist())
metrics.mean_absolute_error(y_test, [0] * len(y_test))

client = mlflow.MlflowClient()
run = client.search_runs(["0"])[0]
path = client.download_artifacts(run.info.run_id, "metric_info.json")
print(json.dumps([dict(run.data.metrics), json.load(open(path))]))
"""


def results(library, folder):
    quiet = {
        "AUTOLOG_ENABLE_SYSTEM_METRICS_LOGGING": "false",
        "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    }
    path = folder / "program.py"
    path.write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, str(path), library],
        cwd=folder,
        env={**os.environ, **quiet},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
def test_p10_p11_the_names_are_mlflows(tmp_path):
    theirs, their_calls = results("mlflow", tmp_path)
    ours, our_calls = results("autolog", tmp_path)
    assert len(their_calls) == 8
    assert {key: ours.get(key) for key in theirs} == pytest.approx(theirs)
    assert {key: our_calls.get(key) for key in their_calls} == their_calls
    # A copy of a prediction is a prediction, too.
    assert set(our_calls) - set(their_calls) == {"accuracy_score-5_X_test"}
