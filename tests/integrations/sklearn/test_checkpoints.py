"""Checkpoints are saved and pruned as their policy says, in this process and in the next."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, Ridge

import autolog
from autolog.checkpoints import CheckpointPolicy, checkpoint, room_of, set_checkpoint_policy
from autolog.entities import LoggedModelStatus
from autolog.exceptions import InvalidArgument, InvalidState, StorageError
from autolog.instrument import checkpoints as core
from autolog_core import pruning
from autolog_core.session import default_session
from autolog_core.stores.sql.engine import Database
from autolog_core.stores.sql.store import SqlStore

pytestmark = pytest.mark.usefixtures("tracking", "default_policy")
X, Y = np.eye(3), np.arange(3.0)


@pytest.fixture
def default_policy():
    yield
    set_checkpoint_policy(None)


def model(value=0.0, kind=Ridge):
    fitted = kind().fit(X, Y)
    fitted.coef_ = np.full(3, float(value))
    return fitted


def train(scores, policy=None, first=0, **options):
    """Calls checkpoint once per score, and returns the steps that were saved."""
    found = []
    for step, score in enumerate(scores, first):
        metrics = {} if score is None else {"val_loss": score}
        info = checkpoint(
            model(step), step=step, epoch=step, metrics=metrics, policy=policy, **options
        )
        if info is not None:
            found.append(step)
    default_session().saving.wait()
    return found


def models(**options):
    found = autolog.search_logged_models(output_format="list", **options)
    steps = {each.model_id: int(each.tags.get("autolog.checkpoint.step", 0)) for each in found}
    return sorted(found, key=lambda each: (each.creation_timestamp, steps[each.model_id]))


def statuses():
    return {int(each.tags["autolog.checkpoint.step"]): each.status.value for each in models()}


def forget():
    """Leaves what another process would know: what is in the store."""
    default_session().drain()
    core._states.clear()


def ready():
    return [step for step, status in statuses().items() if status == "READY"]


def test_a_checkpoint_is_a_logged_model_with_metrics_of_its_own():
    data = autolog.data.from_numpy(X, name="eye")
    with autolog.start_run() as run:
        info = checkpoint(
            model(), step=7, epoch=2, metrics={"val_loss": 0.5, "val_accuracy": 0.9}, dataset=data,
            params={"alpha": 1}, tags={"team": "a"}, input_example=X,
        )  # fmt: skip
    assert info.signature is not None
    assert autolog.pyfunc.load_model(info.model_uri).predict(X).tolist() == [1.0] * 3
    kept = autolog.get_logged_model(info.model_id)
    assert (kept.name, kept.status) == ("checkpoint-7", "READY")
    assert kept.source_run_id == run.info.run_id
    assert kept.params == {"alpha": "1"}
    assert {key: value for key, value in kept.tags.items() if "mlflow" not in key} == {
        "team": "a",
        "autolog.checkpoint.group": "Ridge",
        "autolog.checkpoint.step": "7",
        "autolog.checkpoint.epoch": "2",
        "autolog.checkpoint.monitor": "val_loss",
        "autolog.checkpoint.score": "0.5",
        **{key: kept.tags[key] for key in ("autolog.model.bytes", "autolog.model.digest")},
    }
    found = {each.key: (each.value, each.step, each.dataset_name) for each in kept.metrics}
    assert found == {"val_loss": (0.5, 7, "eye"), "val_accuracy": (0.9, 7, "eye")}
    (made,) = run.outputs.model_outputs
    assert (made.model_id, made.step) == (info.model_id, 7)
    assert [use.dataset.name for use in run.inputs.dataset_inputs] == ["eye"]


def test_what_is_not_saved_is_logged_all_the_same():
    with autolog.start_run() as run:
        policy = CheckpointPolicy(every_n_epochs=2)
        assert train([0.5, 0.4, 0.3, 0.2], policy) == [0, 2]
    client = autolog.MlflowClient()
    history = client.get_metric_history(run.info.run_id, "val_loss")
    assert [(each.step, each.value) for each in history] == [(0, 0.5), (1, 0.4), (2, 0.3), (3, 0.2)]
    assert [[metric.value for metric in each.metrics] for each in models()] == [[0.5], [0.3]]


def test_without_a_run_one_is_started():
    assert checkpoint(model(), step=1) is not None
    assert autolog.active_run() is not None
    autolog.end_run()


def test_the_best_and_the_last_keep_their_weights():
    with autolog.start_run():
        policy = CheckpointPolicy(keep_best=2, keep_last=1)
        assert train([0.5, 0.2, 0.4, 0.1, 0.3, 0.6], policy) == [0, 1, 2, 3, 4, 5]
    assert ready() == [1, 3, 5]
    for each in models():
        step = int(each.tags["autolog.checkpoint.step"])
        assert {metric.key for metric in each.metrics} == {"val_loss"}
        if each.status == "READY":
            assert autolog.sklearn.load_model(each.model_uri).coef_[0] == step
            continue
        assert each.status is LoggedModelStatus.PRUNED
        assert not Path(each.artifact_location).parent.exists()
        said = r"weights pruned by the checkpoint policy \(keep_best=2, keep_last=1\) at 20.* UTC; "
        for uri in (each.model_uri, f"runs:/{each.source_run_id}/checkpoint-{step}"):
            with pytest.raises(InvalidState, match=f"is PRUNED, not READY: {said}"):
                autolog.sklearn.load_model(uri)
        with pytest.raises(InvalidState, match="cannot become READY"):
            autolog.finalize_logged_model(each.model_id, "READY")
    assert len(models(filter_string="status = 'PRUNED'")) == 3
    assert len(models(filter_string="status = 'PRUNED' AND metrics.val_loss < 0.45")) == 2


def test_waiting_for_a_checkpoint_is_waiting_for_what_it_prunes():
    policy = CheckpointPolicy(keep_last=1)
    with autolog.start_run():
        infos = [checkpoint(model(step), step=step, policy=policy) for step in range(5)]
        assert infos[-1].wait()
        default_session().drain()
        kept = default_session().store().search_logged_models(["0"], "status = 'READY'")
        assert [each.model_id for each in kept] == [infos[-1].model_id]
        root = Path(default_session().experiment("0").artifact_location)
        for each in infos:
            assert (root / "models" / each.model_id).exists() == (each is infos[-1])
        (root / "models").rename(root / "moved")
        (root / "models").write_text("in the way")
        with pytest.raises(InvalidState, match="FAILED"):
            checkpoint(model(), step=5).wait()


def test_another_kind_of_model_is_never_pruned():
    with autolog.start_run():
        final = autolog.sklearn.log_model(model(), name="final")
        train([0.3, 0.2, 0.1], CheckpointPolicy(keep_last=1))
    assert autolog.get_logged_model(final.model_id).status == "READY"


def test_a_run_that_is_taken_up_again_goes_on():
    policy = CheckpointPolicy(save_best_only=True, keep_best=2)
    with autolog.start_run() as run:
        assert train([0.5, 0.6, 0.3], policy) == [0, 2]
    forget()
    with autolog.start_run(run_id=run.info.run_id):
        assert train([0.4, 0.3, 0.2], policy, first=3) == [5]
    assert ready() == [2, 5]
    # Pruned ones count too, by what was best and by what came last.
    forget()
    with autolog.start_run(run_id=run.info.run_id):
        assert train([0.25], policy, first=6) == []
        assert train([0.9] * 3, CheckpointPolicy(every_n_epochs=3, keep_last=1), first=6) == [8]
    assert ready() == [5, 8]


def test_a_run_whose_process_was_killed_goes_on(tracking):
    code = """
import os, signal, sys
import numpy as np
import autolog
from autolog.checkpoints import CheckpointPolicy, checkpoint
from autolog_core.session import default_session
from sklearn.linear_model import Ridge

autolog.set_tracking_uri(sys.argv[1])
policy = CheckpointPolicy(every_n_steps=10, keep_best=1, keep_last=1)
print(autolog.start_run().info.run_id, flush=True)
for step, loss in ((0, 0.3), (10, 0.1), (20, 0.2)):
    if step == 20:
        default_session().saving.wait()
        os.rename = lambda *paths: os.kill(os.getpid(), signal.SIGKILL)
    fitted = Ridge().fit(np.eye(3), np.arange(3.0))
    assert checkpoint(fitted, step=step, metrics={"val_loss": loss}, policy=policy)
default_session().saving.wait()
"""
    killed = subprocess.run(
        [sys.executable, "-c", code, str(tracking)], capture_output=True, text=True, check=False
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    policy = CheckpointPolicy(every_n_steps=10, keep_best=1, keep_last=1)
    with autolog.start_run(run_id=killed.stdout.strip()):
        # Step 20 was not saved, whatever the killed process thought.
        assert not checkpoint(model(), step=19, metrics={"val_loss": 0.2}, policy=policy)
        assert checkpoint(model(), step=20, metrics={"val_loss": 0.2}, policy=policy)
        default_session().saving.wait()
    found = [(each.tags["autolog.checkpoint.step"], each.status.value) for each in models()]
    assert found == [("0", "PRUNED"), ("10", "READY"), ("20", "FAILED"), ("20", "READY")]


def test_two_models_of_a_run_are_counted_apart():
    policy = CheckpointPolicy(keep_last=1)
    with autolog.start_run():
        for epoch in range(3):
            for kind in (Ridge, LinearRegression):
                assert checkpoint(model(epoch, kind), step=epoch, epoch=epoch, policy=policy)
            for group in ("it's", "b"):
                options = {"group": group, "name": f"net {group[0]}"}
                assert checkpoint(model(epoch), step=epoch, epoch=epoch, policy=policy, **options)
        default_session().saving.wait()
    left = models(filter_string="status = 'READY'")
    assert sorted(each.tags["autolog.checkpoint.group"] for each in left) == [
        "LinearRegression", "Ridge", "b", "it's",
    ]  # fmt: skip
    assert {each.tags["autolog.checkpoint.step"] for each in left} == {"2"}
    assert {each.name for each in left} == {"checkpoint-2", "net i", "net b"}


def test_one_that_could_not_be_saved_is_none_to_be_better_than(tracking):
    policy = CheckpointPolicy(save_best_only=True, keep_last=1)
    root = Path(default_session().experiment("0").artifact_location)
    root.mkdir(parents=True, exist_ok=True)
    with autolog.start_run():
        (root / "models").write_text("in the way")
        assert train([0.1], policy) == [0]
        (root / "models").unlink()
        assert train([0.3, 0.5, 0.2], policy, first=1) == [1, 3]
    assert statuses() == {0: "FAILED", 1: "PRUNED", 3: "READY"}


def test_the_budget_counts_what_is_on_the_disk():
    with autolog.start_run():
        train([0.1, 0.2, 0.3])
        sizes = [int(each.tags["autolog.model.bytes"]) for each in models()]
        assert train([0.4], CheckpointPolicy(max_bytes=sum(sizes) + 200), first=3) == [3]
        assert ready() == [0, 1, 3]
        # The same bytes under another name take no room.
        first, second = (Path(each.artifact_location) for each in models()[:2])
        for file in first.iterdir():
            (second / file.name).unlink()
            os.link(file, second / file.name)
        train([0.5], CheckpointPolicy(max_bytes=sum(sizes) + 200), first=4)
        assert ready() == [0, 1, 3, 4]
        train([0.6], CheckpointPolicy(max_bytes=1), first=5)
    assert ready() == [0, 5]


def test_a_store_that_cannot_be_told_keeps_all_files(tracking):
    policy = CheckpointPolicy(keep_last=1)
    session = default_session()
    path = str(tracking / "tracking.db")
    session.store().close()
    session._store = SqlStore(Database(session.address, path, patience=0.05), str(tracking))
    with autolog.start_run() as run:
        train([0.3, 0.2, 0.1])
        live = session.live(run.info.run_id)
        session.drain()
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            found = session.store().search_logged_models(["0"])
            with pytest.raises(StorageError):
                pruning.prune_models(session, found, "a test")
            assert all(Path(each.artifact_location).exists() for each in found)
            other.execute("ROLLBACK")
        # What waits is done with the next one.
        core.prune(session, live, policy, "Ridge")
    assert set(statuses().values()) == {"PRUNED"}
    assert not any(Path(each.artifact_location).exists() for each in models())


def test_what_is_not_in_a_folder_of_its_own_is_left(tmp_path, caplog):
    with autolog.start_run():
        train([0.1, 0.2])
    first, second = models()
    (tmp_path / "mine").mkdir()
    foreign = replace(first, artifact_location=str(tmp_path / "mine"))
    pruning.prune_models(default_session(), [foreign, second], "a test")
    assert "is not pruned" in caplog.text
    assert (tmp_path / "mine").exists()
    assert statuses() == {0: "READY", 1: "PRUNED"}


def test_a_process_prunes_before_it_ends(tracking):
    code = """
import sys
import numpy as np
import autolog
from autolog.checkpoints import CheckpointPolicy, checkpoint
from sklearn.linear_model import Ridge

autolog.set_tracking_uri(sys.argv[1])
for step in range(4):
    model = Ridge().fit(np.eye(3), np.arange(3.0))
    checkpoint(model, step=step, policy=CheckpointPolicy(keep_last=1))
"""
    subprocess.run([sys.executable, "-c", code, str(tracking)], check=True)
    assert statuses() == {0: "PRUNED", 1: "PRUNED", 2: "PRUNED", 3: "READY"}


def test_a_python_model():
    class Constant(autolog.pyfunc.PythonModel):
        def predict(self, context, model_input, params=None):
            return model_input * 3

    with autolog.start_run():
        info = checkpoint(Constant(), step=1)
    loaded = autolog.pyfunc.load_model(info.model_uri)
    assert loaded.predict(np.arange(2.0)).tolist() == [0.0, 3.0]
    assert models()[0].tags["autolog.checkpoint.group"].endswith("Constant")


def test_the_policy_of_a_thread():
    set_checkpoint_policy(CheckpointPolicy(every_n_epochs=2))
    with autolog.start_run() as run:
        assert train([0.1, 0.2, 0.3]) == [0, 2]
        assert train([0.1, 0.2], CheckpointPolicy(), first=3) == [3, 4]
    found = []

    def elsewhere():
        with autolog.start_run(nested=True):
            found.extend(train([0.1, 0.2]))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert found == [0, 1]
    set_checkpoint_policy(None)
    with autolog.start_run():
        assert train([0.1, 0.2]) == [0, 1]
    assert run.info.run_id


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"step": "one"}, "step"),
        ({"epoch": 1.5}, "epoch"),
        ({"metrics": {"a": "x"}}, "metric 'a'"),
        ({"metrics": {"a b!": 1}}, "a b!"),
        ({"policy": "best"}, "CheckpointPolicy"),
        ({"policy": CheckpointPolicy(keep_best=1)}, "val_loss"),
        ({"policy": CheckpointPolicy(every_n_epochs=2)}, "epoch="),
        ({"model": object()}, "PythonModel"),
        ({"dataset": "iris"}, "dataset"),
        ({"name": "a/b"}, "model name"),
        ({"signature": "x"}, "signature"),
        ({"group": "a\0b"}, "group"),
    ],
)
def test_mistakes_leave_no_record(arguments, word):
    with autolog.start_run() as run, pytest.raises(InvalidArgument, match=word):
        checkpoint(**{"model": model(), "step": 1, "metrics": {"val": 1.0}, **arguments})
    assert models() == []
    assert autolog.get_run(run.info.run_id).data.metrics == {}


def test_a_policy_is_a_policy():
    with pytest.raises(InvalidArgument, match="CheckpointPolicy"):
        set_checkpoint_policy(3)


def test_a_mistake_is_no_checkpoint():
    policy = CheckpointPolicy(every_n_epochs=2)
    with autolog.start_run():
        with pytest.raises(InvalidArgument):
            checkpoint(model(), step=0, epoch=0, policy=policy, signature="x")
        assert checkpoint(model(), step=1, epoch=1, policy=policy) is not None


@pytest.mark.parametrize(
    ("bases", "room"),
    [
        ([("torch.nn.modules.module", "Module")], "pytorch"),
        ([("lightning.pytorch.core.module", "LightningModule"),
          ("torch.nn.modules.module", "Module")], "pytorch"),
        # A model of Keras on torch is a module of torch.
        ([("keras.src.models.model", "Model"), ("torch.nn.modules.module", "Module")], "keras"),
        ([("xgboost.core", "Booster")], "xgboost"),
        ([("xgboost.sklearn", "XGBModel"), ("sklearn.base", "BaseEstimator")], "xgboost"),
        ([("lightgbm.basic", "Booster")], "lightgbm"),
        ([("lightgbm.sklearn", "LGBMModel"), ("sklearn.base", "BaseEstimator")], "lightgbm"),
        ([("catboost.core", "CatBoost")], "catboost"),
        ([("sklearn.base", "BaseEstimator")], "sklearn"),
        ([("mlflow.pyfunc.model", "PythonModel")], "pyfunc"),
    ],
)  # fmt: skip
def test_the_room_of_a_model(bases, room):
    kind = object
    for module, name in reversed(bases):
        kind = type(name, (kind,), {"__module__": module})
    assert room_of(type("Mine", (kind,), {"__module__": "__main__"})()) == room
    assert room_of(model()) == "sklearn"


def test_the_score_of_another_metric_is_found_in_what_was_logged():
    with autolog.start_run():
        for step, (loss, accuracy) in enumerate(((0.1, 0.5), (0.2, 0.9), (0.3, 0.7))):
            metrics = {"val_loss": loss, "val_accuracy": accuracy}
            checkpoint(model(step), step=step, metrics=metrics)
        by_accuracy = CheckpointPolicy(monitor="val_accuracy", keep_best=1)
        metrics = {"val_accuracy": 0.6}
        checkpoint(model(3), step=3, metrics=metrics, policy=by_accuracy)
        default_session().saving.wait()
    assert ready() == [1, 3]
