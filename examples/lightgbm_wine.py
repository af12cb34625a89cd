"""From which grower is a wine?

A classifier with class names as text, on data that ships with scikit-learn. It is logged, loaded by
its id, and knows its class names; data that does not fit is told. Run it:
python examples/lightgbm_wine.py
"""

import lightgbm as lgb
import numpy as np
from sklearn.datasets import load_wine
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split

import autolog

X, number = load_wine(return_X_y=True, as_frame=True)
y = np.array(["Alba", "Barolo", "Canelli"])[number]
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=7)

with autolog.start_run(run_name="wine"):
    model = lgb.LGBMClassifier(
        n_estimators=60, num_leaves=7, min_child_samples=5, random_state=7, verbosity=-1
    )
    autolog.log_params(model.get_params())
    model.fit(X_train, y_train)
    info = autolog.lightgbm.log_model(model, name="wine", input_example=X_train.head(3))
    autolog.log_metric("test-accuracy", accuracy_score(y_test, model.predict(X_test)))

loaded = autolog.lightgbm.load_model(info.model_uri)
print(
    f"{type(loaded).__name__} with {loaded.n_estimators} rounds knows {', '.join(loaded.classes_)}"
)
print(f"{accuracy_score(y_test, loaded.predict(X_test)):.1%} of {len(X_test)} wines are right")

server = autolog.pyfunc.load_model(info.model_uri)
print("one wine, as a row of JSON would tell it:", *server.predict([X_test.iloc[0].to_dict()]))
try:
    server.predict(X_test.drop(columns="alcohol"))
except ValueError as error:
    print(f"without a column: {str(error).split(';')[0]}")
