"""From which grower is a wine, and how fast should the model learn?

An ordinary training script on data that ships with scikit-learn; what is kept of it is kept by one
line. Each training is a run: params, a curve for each metric, where early stopping found the best
iteration, the data, the importances and the model. So the best is found by a query and loaded by
its address. Run it: python examples/lightgbm_wine.py
"""

import lightgbm as lgb
import numpy as np
from sklearn.datasets import load_wine
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split

import autolog

autolog.autolog()

X, y = load_wine(return_X_y=True, as_frame=True)
growers = np.array(["Alba", "Barolo", "Canelli"])
X_rest, X_test, y_rest, y_test = train_test_split(X, y, stratify=y, random_state=7)
X_train, X_valid, y_train, y_valid = train_test_split(X_rest, y_rest, random_state=7)
train = lgb.Dataset(X_train, y_train)
valid = lgb.Dataset(X_valid, y_valid, reference=train)

rates = (0.02, 0.1, 0.5)
for rate in rates:
    lgb.train(
        {
            "objective": "multiclass",
            "num_class": len(growers),
            "learning_rate": rate,
            "num_leaves": 7,
            "min_data_in_leaf": 5,
            "verbosity": -1,
        },
        train,
        500,
        valid_sets=[train, valid],
        valid_names=["train", "valid"],
        callbacks=[lgb.early_stopping(10, verbose=False)],
    )

runs = autolog.search_runs(
    order_by=["metrics.`best_valid-multi_logloss` ASC"],
    max_results=len(rates),
    output_format="list",
)
print(f"{'learning rate':>13} {'best iteration':>14} {'log loss there':>14}")
for run in runs:
    metrics = run.data.metrics
    loss, best = metrics["best_valid-multi_logloss"], metrics["best_iteration"]
    print(f"{run.data.params['learning_rate']:>13} {best:>14.0f} {loss:>14.4f}")

(output,) = runs[0].outputs.model_outputs
model = autolog.pyfunc.load_model(f"models:/{output.model_id}")
predicted = growers[model.predict(X_test).argmax(axis=1)]
right = accuracy_score(growers[y_test], predicted)
print(
    f"\nThe best one, loaded by its id: {right:.1%} of {len(X_test)} wines it never saw are right"
)
