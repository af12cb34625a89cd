"""What tests of loops share: a loop is run while it is watched, and its runs are read."""

from dataclasses import dataclass

import autolog
from autolog.instrument import control, ongoing
from autolog_core.session import default_session


@dataclass
class Found:
    """One run.

    Attributes:
        run: As the store has it.
        steps: By name of the series, the steps of its points.
        values: By name of the series, its values.
    """

    run: object
    steps: dict
    values: dict

    @property
    def params(self):
        return self.run.data.params

    @property
    def contexts(self):
        return [tag.value for each in self.run.inputs.dataset_inputs for tag in each.tags]


def turn_on(**options):
    control.configure("pytorch", control.OWN, **options)


def turn_off():
    control.configure("pytorch", control.OWN, disable=True)


def runs():
    """Returns the runs of the default experiment, oldest first, after what is open is ended."""
    ongoing.close_all()
    found = default_session().read().search_runs(["0"], order_by=["attribute.start_time ASC"])
    client = autolog.MlflowClient()
    made = []
    for run in found:
        points = {key: client.get_metric_history(run.info.run_id, key) for key in run.data.metrics}
        made.append(
            Found(
                run,
                {key: [each.step for each in history] for key, history in points.items()},
                {key: [each.value for each in history] for key, history in points.items()},
            )
        )
    return made


def only():
    (run,) = runs()
    return run


def models():
    return autolog.search_logged_models(
        output_format="list", order_by=[{"field_name": "creation_timestamp", "ascending": True}]
    )
