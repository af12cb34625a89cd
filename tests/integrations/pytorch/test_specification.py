"""The code blocks of the specification run as they stand, with their import lines changed.

What a block leaves undefined, such as ``train_model``, is supplied around it.
"""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import autolog
from autolog_core.entities import DatasetInput

PAGE = Path(__file__).with_name("specification.md")
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
IMPORTS = {
    "import mlflow": "import autolog as mlflow",
    "import mlflow.pytorch": "import autolog.pytorch",
}


def block(number: int, says: str) -> str:
    """Returns a block, which is told by its number and by what it calls."""
    source = BLOCKS[number]
    assert says in source
    lines = [IMPORTS.get(line, line) for line in source.splitlines()]
    changed = [line for line, old in zip(lines, source.splitlines(), strict=True) if line != old]
    assert all(line.startswith("import autolog") for line in changed)
    return "\n".join(lines)


def run(source: str, **around: object) -> dict[str, object]:
    names: dict[str, object] = {"mlflow": autolog, **around}
    exec(compile(source, "specification.md", "exec"), names)
    return names


def test_every_block_is_run_here():
    assert len(BLOCKS) == 9


def test_a_run_with_a_param_and_a_metric(tracking):
    run(block(0, 'log_metric("val_loss", val_loss)'), val_loss=0.25)
    (found,) = autolog.search_runs(output_format="list")
    assert found.data.params == {"lr": "0.001"}
    assert found.data.metrics == {"val_loss": 0.25}


def test_autolog_in_one_line(tracking):
    names = run(block(1, "mlflow.autolog()"))
    names["mlflow"].autolog(disable=True)


@pytest.fixture
def forests(tracking):
    """Two experiments with models of known quality, ids 1 and 2."""
    from sklearn.datasets import load_iris
    from sklearn.ensemble import RandomForestClassifier

    X, y = load_iris(return_X_y=True)
    for name in ("one", "two"):
        autolog.set_experiment(name)
        for trees, accuracy in ((1, 0.91), (3, 0.96), (5, 0.99)):
            with autolog.start_run():
                info = autolog.sklearn.log_model(
                    RandomForestClassifier(trees, random_state=0).fit(X, y),
                    name=f"forest{trees}",
                    params={"model_type": "RandomForest"},
                )
                scores = {"accuracy": accuracy, "f1_score": accuracy}
                autolog.log_metrics(scores, model_id=info.model_id)
    return X


def test_searching_models(forests):
    names = run(block(2, "mlflow.search_logged_models"))
    assert len(names["top_models"]) == 4
    assert names["best_model"].name == "forest5"
    assert names["loaded_model"].predict(forests).shape == (150,)


def test_searching_runs(tracking, capsys):
    for value in (0.3, 0.123, 0.2):
        with autolog.start_run():
            autolog.log_metric("val_loss", value)
    names = run(block(3, "MlflowClient()"))
    assert names["best_run"].data.metrics == {"val_loss": 0.123}
    assert names["best_run"].info.run_id in capsys.readouterr().out


def test_checkpoints_their_metrics_and_their_addresses(tracking, capsys):
    """The four blocks of one story: each goes on with what the one before it left."""
    model = torch.nn.Sequential(torch.nn.Linear(3, 1))
    frame = pd.DataFrame(np.eye(3), columns=list("abc"))
    validation = autolog.data.from_pandas(frame, name="validation")

    def train_model(model, epoch):
        with torch.no_grad():
            model[0].weight.fill_(float(epoch))

    names = run(
        block(4, "mlflow.pytorch.log_model"),
        train_model=train_model,
        model=model,
        sample_input=torch.ones(2, 3),
        evaluate_model=lambda model, data: model[0].weight[0, 0].item() / 100,
        validation_data=frame,
        validation_dataset=validation,
    )
    made = autolog.get_run(names["run"].info.run_id).outputs.model_outputs
    assert [each.step for each in made] == list(range(0, 100, 10))

    names = run(block(5, "mlflow.data.from_pandas"), **names, train_df=frame)
    kept = autolog.get_logged_model(names["model_info"].model_id)
    assert {each.key: (each.value, each.dataset_name) for each in kept.metrics} == {
        "accuracy": (0.9, "validation"),
        "f1_score": (0.95, "training_data"),
    }

    names = run(block(6, "ranked_models"), **names)
    assert [each.name for each in names["ranked_models"]] == [
        f"checkpoint-epoch-{epoch}" for epoch in range(90, -1, -10)
    ]
    assert "Best model: checkpoint-epoch-90\nAccuracy: 0.9" in capsys.readouterr().out
    loaded = names["loaded_model"].predict(np.ones((2, 3), "float32"))
    assert np.allclose(loaded, 270.0 + model[0].bias.item())

    names = run(block(7, 'f"models:/{model_info.model_id}"'), **names)
    assert np.allclose(names["loaded_model"].predict(np.ones((2, 3), "float32")), loaded)

    inputs = autolog.get_run(names["run"].info.run_id).inputs.dataset_inputs
    assert all(isinstance(each, DatasetInput) for each in inputs)


def test_files_in_another_place(tracking):
    run(block(8, 'artifact_location="s3://your-bucket"'))
    found = autolog.get_experiment_by_name("your_experiment_name")
    assert found.artifact_location == "s3://your-bucket"
