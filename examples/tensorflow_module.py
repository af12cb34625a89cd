"""Softmax regression written out in TensorFlow: which step size learns handwritten digits best?

Each module is trained by hand on data that ships with scikit-learn, and logged with the metrics of
its test. What is kept is a SavedModel, which predicts without the class below. Run it:
python examples/tensorflow_module.py
"""

import pandas as pd
import tensorflow as tf
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import autolog

X, y = load_digits(return_X_y=True)
X = (X / 16).astype("float32")
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=0.25, stratify=y, random_state=7
)


class Softmax(tf.Module):
    def __init__(self):
        super().__init__()
        self.weight = tf.Variable(tf.zeros((64, 10)))
        self.bias = tf.Variable(tf.zeros(10))

    @tf.function(input_signature=[tf.TensorSpec((None, 64), tf.float32)])
    def __call__(self, x):
        return tf.matmul(x, self.weight) + self.bias


def loss_of(model, features, digits):
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(digits, model(features))
    return tf.reduce_mean(losses)


@tf.function(reduce_retracing=True)
def gradients_of(model, features, digits):
    with tf.GradientTape() as tape:
        loss = loss_of(model, features, digits)
    return tape.gradient(loss, model.trainable_variables)


with autolog.start_run(run_name="step sizes") as run:
    for size in (0.1, 1.0, 10.0, 100.0):
        model = Softmax()
        for _ in range(60):
            steps = gradients_of(model, tf.constant(X_train), tf.constant(y_train))
            for variable, step in zip(model.trainable_variables, steps, strict=True):
                variable.assign_sub(size * step)
        info = autolog.tensorflow.log_model(
            model, name=f"size-{size:g}".replace(".", "_"), params={"size": size},
            input_example=X_train[:2],
        )  # fmt: skip
        right = (model(X_test).numpy().argmax(axis=1) == y_test).mean()
        loss = float(loss_of(model, X_test, y_test))
        autolog.log_metric("test_accuracy", right, model_id=info.model_id)
        autolog.log_metric("test_loss", loss, model_id=info.model_id)

models = autolog.search_logged_models(
    filter_string=f"source_run_id = '{run.info.run_id}'",
    order_by=[{"field_name": "metrics.test_loss", "ascending": True}],
    output_format="list",
)
table = pd.DataFrame(
    [
        {"size": each.params["size"], **{one.key: one.value for one in each.metrics}}
        for each in models
    ]
)
print(table.round(4).to_string(index=False))

best = autolog.pyfunc.load_model(f"models:/{models[0].model_id}")
found = (best.predict(X_test).argmax(axis=1) == y_test).mean()
print(f"\nStep size {models[0].params['size']} is best. Loaded by its id: {found:.1%} right")
