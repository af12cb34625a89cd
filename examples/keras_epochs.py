"""Which epoch of a small network reads handwritten digits best?

The network learns from data that ships with scikit-learn, and is logged after every epoch. Each of
these is a model with an id and metrics of its own, so the best is found by a query and loaded by
its address. Run it: python examples/keras_epochs.py
"""

import keras
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import autolog

X, y = load_digits(return_X_y=True)
X = (X / 16).astype("float32").reshape(-1, 8, 8, 1)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=0.25, stratify=y, random_state=7
)

keras.utils.set_random_seed(7)
model = keras.Sequential(
    [
        keras.Input((8, 8, 1)),
        keras.layers.Conv2D(16, 3, activation="relu"),
        keras.layers.Flatten(),
        keras.layers.Dropout(0.3),
        keras.layers.Dense(10, activation="softmax"),
    ]
)
model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])

with autolog.start_run(run_name="epochs") as run:
    for epoch in range(8):
        model.fit(X_train, y_train, verbose=0)
        # What is logged is the model of now; training goes on while its file is written.
        autolog.keras.log_model(model, name=f"epoch-{epoch}", step=epoch, input_example=X_train[:2])
        loss, accuracy = model.evaluate(X_test, y_test, verbose=0)
        autolog.log_metrics({"test_loss": loss, "test_accuracy": accuracy}, step=epoch)

models = autolog.search_logged_models(
    filter_string=f"source_run_id = '{run.info.run_id}'",
    order_by=[{"field_name": "metrics.test_loss", "ascending": True}],
    output_format="list",
)
table = pd.DataFrame(
    [{"model": each.name, **{one.key: one.value for one in each.metrics}} for each in models]
)
print(table.round(4).to_string(index=False))

best = autolog.pyfunc.load_model(f"models:/{models[0].model_id}")
found = (best.predict(X_test).argmax(axis=1) == y_test).mean()
print(
    f"\n{models[0].name} has the lowest loss. Loaded by its id, it reads {found:.1%} of the digits"
)
