"""Does it help to predict the course of diabetes when age and sex are categories?

Two regressors on data that ships with scikit-learn: one on numbers, one with groups of age and sex
as text. Each fit is a run by itself, with curves, params, data and the model of its best iteration;
a search over params and a cross-validation are one run each. Run it:
python examples/catboost_categories.py
"""

import pandas as pd
from catboost import CatBoostRegressor, Pool, cv
from sklearn.datasets import load_diabetes
from sklearn.metrics import mean_absolute_error
from sklearn.model_selection import train_test_split

import autolog

autolog.autolog()

X, y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
grouped = X.assign(
    age=pd.cut(X["age"], [0, 35, 50, 65, 100], labels=["<35", "<50", "<65", "65+"]).astype(str),
    sex=X["sex"].map({1.0: "one", 2.0: "two"}),
)
settings = {"depth": 4, "random_seed": 7, "verbose": 0}

for name, data, categories in [("numbers", X, []), ("groups", grouped, ["age", "sex"])]:
    train, test, y_train, y_test = train_test_split(data, y, random_state=7)
    train, held_out, y_train, y_held_out = train_test_split(train, y_train, random_state=7)
    with autolog.start_run(run_name=name):
        model = CatBoostRegressor(iterations=500, cat_features=categories, **settings).fit(
            train, y_train, eval_set=(held_out, y_held_out), early_stopping_rounds=30
        )
        autolog.log_metric("test-mae", mean_absolute_error(y_test, model.predict(test)))

measured = autolog.search_runs(
    filter_string="metrics.`test-mae` > 0", order_by=["metrics.`test-mae`"], output_format="list"
)
for run in measured:
    best, stopped = (run.data.metrics[f"{word}_iteration"] for word in ("best", "stopped"))
    print(
        f"{run.info.run_name:8} mean absolute error {run.data.metrics['test-mae']:.2f}, "
        f"best iteration {best:.0f} of {stopped + 1:.0f}, "
        f"learning rate {float(run.data.params['learning_rate']):.3f}"
    )

pool = Pool(grouped, y, cat_features=["age", "sex"])
cv(pool, {"loss_function": "RMSE", "iterations": 60, **settings}, fold_count=4)
folds = autolog.last_active_run().data.metrics
print(
    f"\nfour folds: {folds['best_test-RMSE-mean']:.2f} +- {folds['best_test-RMSE-std']:.2f} "
    f"at iteration {folds['best_iteration']:.0f}"
)

CatBoostRegressor(iterations=60, random_seed=7, verbose=0).grid_search(
    {"depth": [3, 5], "l2_leaf_reg": [1, 10]}, pool, verbose=False, plot=False
)
search = autolog.last_active_run()
print(
    "best of the search:",
    {key: search.data.params[key] for key in ("best_depth", "best_l2_leaf_reg")},
)

(output,) = search.outputs.model_outputs
loaded = autolog.pyfunc.load_model(f"models:/{output.model_id}")
patient = {"age": "<65", "sex": "one", **X.drop(columns=["age", "sex"]).median()}
print(f"its model for a median patient below 65: {loaded.predict([patient])[0]:.0f}")
