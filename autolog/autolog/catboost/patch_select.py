"""What is recorded around a selection of features, and around samples of a Gaussian process."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from autolog.catboost import extract_params, patch_model, pools
from autolog.catboost.patch_fit import FitObserver
from autolog.instrument.charts import Chart, Line

if TYPE_CHECKING:
    from autolog.catboost.spec import CatboostOptions
    from autolog.instrument.call import Call
    from autolog.instrument.recorder import Recorder

SELECTION = "feature_selection"


class SelectObserver(FitObserver):
    """Records a selection of features: one run, with the model that is fitted in the end."""

    def title(self, call: Call) -> str:
        """Returns a name for the run."""
        return f"{type(call.instance).__name__} feature selection"

    def before(self, call: Call, recorder: Recorder) -> None:
        """Records tags, params and data."""
        super().before(call, recorder)
        with recorder.part("params of the selection"):
            recorder.params(extract_params.selection_params(self._passed))

    def after(self, call: Call, recorder: Recorder, result: Any) -> None:
        """Records what was selected, what it cost, and the model."""
        with recorder.part("selected features"):
            graph = result.get("loss_graph") or {}
            # As a picture: the steps of the run are iterations.
            chart = Chart(
                "lines",
                "Feature selection",
                x_label="removed features",
                y_label="loss",
                lines=[
                    Line("", graph.get("removed_features_count", ()), graph.get("loss_values", ()))
                ],
            )
            recorder.chart(SELECTION, chart, json.loads(json.dumps(result)))
        if self._passed.get("train_final_model", True):
            super().after(call, recorder, result)
        else:
            self._end()
            recorder.skipped("model", "train_final_model is False")

    def _with_callback(self, call: Call, recorder: Recorder) -> None:
        # The method takes none.
        return None


class SamplesObserver:
    """Records samples of a Gaussian process, each of which is a model: one run for all."""

    def __init__(self, options: CatboostOptions) -> None:
        self._options = options
        self._passed: Mapping[str, Any] = {}

    def wants(self, call: Call) -> bool:
        """Whether the call is a training: each is."""
        return True

    def title(self, call: Call) -> str:
        """Returns a name for the run."""
        return "sample_gaussian_process"

    def before(self, call: Call, recorder: Recorder) -> None:
        """Records params and data."""
        self._passed = call.arguments()
        with recorder.part("params"):
            recorder.params(extract_params.sampling_params(self._passed))
        with recorder.part("datasets"):
            pools.log_datasets(self._passed, recorder, self._options)

    def after(self, call: Call, recorder: Recorder, result: Any) -> None:
        """Records the models."""
        with recorder.part("models"):
            rows = pools.rows_of(self._passed.get("X"))
            for number, model in enumerate(result):
                patch_model.log_model(
                    model, recorder, self._options, rows, step=number, name=f"sample_{number}"
                )

    def failed(self, call: Call, recorder: Recorder, error: BaseException) -> None:
        """Notes that there is nothing to keep."""
        recorder.skipped("models", "the sampling failed")
