"""Which model tells malignant from benign tumours best?

An ordinary training script on data that ships with scikit-learn. Everything that is kept of it is
kept by one line, `autolog.autolog()`. Run it: python examples/quickstart.py
"""

import pandas as pd
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, recall_score
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import autolog

autolog.autolog()

X, y = load_breast_cancer(return_X_y=True, as_frame=True)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=0.25, stratify=y, random_state=7
)

models = {
    "logistic regression": make_pipeline(StandardScaler(), LogisticRegression(C=0.5)),
    "nearest neighbours": make_pipeline(StandardScaler(), KNeighborsClassifier(n_neighbors=9)),
    "random forest": RandomForestClassifier(n_estimators=100, random_state=7),
    "gradient boosting": HistGradientBoostingClassifier(max_iter=80, random_state=7),
}

scores = []
for name, model in models.items():
    model.fit(X_train, y_train)
    predicted = model.predict(X_test)
    scores.append(
        {
            "model": name,
            "test accuracy": accuracy_score(y_test, predicted),
            "malignant found": recall_score(y_test, predicted, pos_label=0),
        }
    )

# Each fit was a run. Its training metrics, params and data are there without having been logged.
runs = autolog.search_runs(order_by=["attributes.start_time DESC"], max_results=len(models))
runs = runs.iloc[::-1].reset_index(drop=True)
table = pd.DataFrame(scores)
table["training accuracy"] = runs["metrics.training_accuracy_score"]
table["training log loss"] = runs["metrics.training_log_loss"]
table["fit and record"] = (runs["end_time"] - runs["start_time"]).dt.total_seconds()
table["run"] = runs["run_id"].str[:8]

print(f"{len(X_train)} tumours to learn from, {len(X_test)} to test on\n")
print(
    table.sort_values("test accuracy", ascending=False).to_string(
        index=False,
        formatters={
            "test accuracy": "{:.1%}".format,
            "malignant found": "{:.1%}".format,
            "training accuracy": "{:.1%}".format,
            "training log loss": "{:.4f}".format,
            "fit and record": "{:.2f} s".format,
        },
    )
)
best = runs.loc[table["test accuracy"].idxmax()]
kept = {key.removeprefix("params."): best[key] for key in best.index if key.startswith("params.")}
kept = {key: value for key, value in kept.items() if value is not None}
print(f"\nKept of the best run, besides metrics: {len(kept)} params, the data's digest and schema,")
print("the code version, the environment, and a diagram of the estimator. Look at it with:\n")
print(f"    autolog runs show {best['run_id']}")
