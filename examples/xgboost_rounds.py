"""How deep should trees be to tell malignant from benign tumours, and how many rounds are enough?

An ordinary training script on data that ships with scikit-learn; what is kept of it is kept by one
line. Each training is a run: params, a curve for each metric, where early stopping found the best
round, the data, the importances and the model. A second line keeps a model of every tenth round,
without a second training. So the best is found by a query and loaded by its address. Run it:
python examples/xgboost_rounds.py
"""

import pandas as pd
import xgboost as xgb
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split

import autolog

autolog.autolog()
autolog.set_checkpoint_policy(autolog.CheckpointPolicy(every_n_steps=10))

X, y = load_breast_cancer(return_X_y=True, as_frame=True)
X_rest, X_test, y_rest, y_test = train_test_split(X, y, stratify=y, random_state=7)
X_train, X_valid, y_train, y_valid = train_test_split(X_rest, y_rest, random_state=7)
train, valid = xgb.DMatrix(X_train, y_train), xgb.DMatrix(X_valid, y_valid)

depths = (1, 3, 6)
for depth in depths:
    xgb.train(
        {"objective": "binary:logistic", "max_depth": depth, "eta": 0.2, "seed": 7},
        train,
        500,
        evals=[(train, "train"), (valid, "valid")],
        # The booster ends with its best round, and so does the model that is kept of it.
        callbacks=[xgb.callback.EarlyStopping(rounds=10, save_best=True)],
        verbose_eval=False,
    )

runs = autolog.search_runs(order_by=["metrics.`best_valid-logloss` ASC"], max_results=len(depths))
columns = {
    "params.max_depth": "depth",
    "metrics.best_iteration": "best round",
    "metrics.best_train-logloss": "train",
    "metrics.best_valid-logloss": "valid",
}
print(runs[list(columns)].rename(columns=columns).round(4).to_string(index=False))

models = autolog.search_logged_models(
    filter_string=f"source_run_id = '{runs['run_id'][0]}'",
    order_by=[{"field_name": "metrics.valid-logloss", "ascending": True}],
    output_format="list",
)
table = pd.DataFrame(
    [{"model": model.name, **{each.key: each.value for each in model.metrics}} for model in models]
)
print(f"\n{table[['model', 'train-logloss', 'valid-logloss']].round(4).to_string(index=False)}")

best = models[0]
loaded = autolog.pyfunc.load_model(f"models:/{best.model_id}")
found = accuracy_score(y_test, loaded.predict(X_test[X_test.columns[::-1]]) > 0.5)
print(f"\n{best.name} is best. Loaded by its id, columns in any order: {found:.1%} right")
