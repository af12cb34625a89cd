"""How many rounds of boosting are enough to tell malignant from benign tumours?

A booster is trained round by round on data that ships with scikit-learn, and logged every ten. Each
of these is a model with an id and metrics of its own, so the best is found by a query and loaded by
its address. Run it: python examples/xgboost_rounds.py
"""

import pandas as pd
import xgboost as xgb
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import train_test_split

import autolog

X, y = load_breast_cancer(return_X_y=True, as_frame=True)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=0.25, stratify=y, random_state=7
)
train, test = xgb.DMatrix(X_train, y_train), xgb.DMatrix(X_test, y_test)
params = {"objective": "binary:logistic", "max_depth": 3, "eta": 0.2, "seed": 7}

with autolog.start_run(run_name="rounds") as run:
    autolog.log_params(params)
    booster = xgb.Booster(params, [train])
    for round_ in range(1, 121):
        booster.update(train, round_)
        if round_ % 10 == 0:
            # What is logged is the booster of now; training goes on while its files are written.
            autolog.xgboost.log_model(
                booster, name=f"round-{round_}", step=round_, input_example=X_train.head(3)
            )
            probability = booster.predict(test)
            autolog.log_metrics(
                {
                    "test-logloss": log_loss(y_test, probability),
                    "test-accuracy": accuracy_score(y_test, probability > 0.5),
                },
                step=round_,
            )

models = autolog.search_logged_models(
    filter_string=f"source_run_id = '{run.info.run_id}'",
    order_by=[{"field_name": "metrics.test-logloss", "ascending": True}],
    output_format="list",
)
table = pd.DataFrame(
    [{"model": model.name, **{each.key: each.value for each in model.metrics}} for model in models]
)
print(table.round(4).to_string(index=False))

best = models[0]
loaded = autolog.pyfunc.load_model(f"models:/{best.model_id}")
found = accuracy_score(y_test, loaded.predict(X_test[X_test.columns[::-1]]) > 0.5)
print(f"\n{best.name} predicts best. Loaded by its id, columns in any order: {found:.1%} right")
