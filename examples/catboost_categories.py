"""Does it help to predict the course of diabetes when age and sex are categories?

Two regressors on data that ships with scikit-learn: one on numbers, one with groups of age and sex
as text. Both are logged and compared by their models' metrics. Run it:
python examples/catboost_categories.py
"""

import pandas as pd
from catboost import CatBoostRegressor
from sklearn.datasets import load_diabetes
from sklearn.metrics import mean_absolute_error
from sklearn.model_selection import train_test_split

import autolog

X, y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
grouped = X.assign(
    age=pd.cut(X["age"], [0, 35, 50, 65, 100], labels=["<35", "<50", "<65", "65+"]).astype(str),
    sex=X["sex"].map({1.0: "one", 2.0: "two"}),
)

infos = []
for name, data, categories in [("numbers", X, []), ("groups", grouped, ["age", "sex"])]:
    train, test, y_train, y_test = train_test_split(data, y, random_state=7)
    with autolog.start_run(run_name=name):
        model = CatBoostRegressor(
            iterations=300,
            depth=4,
            learning_rate=0.05,
            cat_features=categories,
            random_seed=7,
            verbose=0,
            allow_writing_files=False,
        ).fit(train, y_train)
        info = autolog.catboost.log_model(
            model, name=f"diabetes-{name}", input_example=train.head(3), tags={"data": name}
        )
        error = mean_absolute_error(y_test, model.predict(test))
        autolog.log_metric("test-mae", error, model_id=info.model_id)
        infos.append(info)

for info in infos:
    kept = autolog.get_logged_model(info.model_id)
    print(f"{kept.name:18} mean absolute error {kept.metrics[0].value:.2f}")

loaded = autolog.pyfunc.load_model(infos[1].model_uri)
patient = {"age": "<65", "sex": "one", **X.drop(columns=["age", "sex"]).median()}
print(f"\nthe grouped model for a median patient below 65: {loaded.predict([patient])[0]:.0f}")
