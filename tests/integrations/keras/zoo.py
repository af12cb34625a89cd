"""Small models of every build, trained a little where that leaves state behind."""

import keras
import numpy as np
from sklearn.datasets import load_digits

digits = load_digits()
X = (digits.data / 16).astype("float32")[:64]
y = digits.target[:64]
PACKAGE = "autolog-tests"


@keras.saving.register_keras_serializable(PACKAGE)
def squash(x):
    return keras.ops.tanh(x) * 2


@keras.saving.register_keras_serializable(PACKAGE)
class Noisy(keras.layers.Layer):
    """Draws seeds in training and in prediction, as sampling layers do."""

    def __init__(self, scale=0.1, **kwargs):
        super().__init__(**kwargs)
        self.scale = scale
        self.seed = keras.random.SeedGenerator(7)

    def call(self, x):
        return x + self.scale * keras.random.normal(keras.ops.shape(x), seed=self.seed)

    def get_config(self):
        return {**super().get_config(), "scale": self.scale}


@keras.saving.register_keras_serializable(PACKAGE)
class Tower(keras.Model):
    """Layers in a list and in a dict, and state that is no weight of a layer."""

    def __init__(self, width=8, **kwargs):
        super().__init__(**kwargs)
        self.width = width
        self.blocks = [keras.layers.Dense(width, activation=squash) for _ in range(2)]
        self.heads = {"digit": keras.layers.Dense(10)}
        self.drop = keras.layers.Dropout(0.5, seed=3)

    def build(self, shape):
        width = shape[-1]
        for block in self.blocks:
            block.build((None, width))
            width = self.width
        self.heads["digit"].build((None, width))
        self.steps = self.add_weight(shape=(), dtype="int32", initializer="zeros", trainable=False)
        self.built = True

    def call(self, x, training=False):
        for block in self.blocks:
            x = block(x)
        if training:
            self.steps.assign(self.steps + 1)
        return self.heads["digit"](self.drop(x, training=training))

    def get_config(self):
        return {**super().get_config(), "width": self.width}


def dense(optimizer="adam"):
    model = keras.Sequential(
        [keras.Input((64,)), keras.layers.Dense(16, activation="relu"), keras.layers.Dense(10)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss, metrics=["accuracy"])
    model.fit(X, y, verbose=0)
    return model


def images():
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.RandomFlip(seed=1),
            keras.layers.Conv2D(4, 3),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.2),
            keras.layers.Flatten(),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    schedule = keras.optimizers.schedules.ExponentialDecay(0.01, 10, 0.9)
    model.compile(keras.optimizers.SGD(schedule, 0.9), "sparse_categorical_crossentropy")
    model.fit(X.reshape(-1, 8, 8, 1), y, verbose=0)
    return model


def two_inputs():
    wide, deep = keras.Input((32,), name="wide"), keras.Input((32,), name="deep")
    shared = keras.layers.Dense(8, activation=squash)
    both = keras.layers.Concatenate()([shared(wide), shared(deep)])
    digit = keras.layers.Dense(10, name="digit")(both)
    odd = keras.layers.Dense(1, name="odd", activation="sigmoid")(both)
    model = keras.Model([wide, deep], [digit, odd])
    losses = [keras.losses.SparseCategoricalCrossentropy(from_logits=True), "binary_crossentropy"]
    model.compile("rmsprop", losses)
    model.fit([X[:, :32], X[:, 32:]], [y, y % 2], verbose=0)
    return model


def tower():
    model = Tower()
    model(X)
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(X, y, verbose=0)
    return model


def noisy():
    model = keras.Sequential([keras.Input((64,)), Noisy(), keras.layers.Dense(10)])
    model.compile("sgd", "mse")
    model.fit(X, np.eye(10, dtype="float32")[y], verbose=0)
    return model


def half():
    layers = [keras.layers.Dense(8, dtype="mixed_float16"), keras.layers.Dense(10, dtype="float32")]
    model = keras.Sequential([keras.Input((64,)), *layers])
    model.compile(keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam()), "mse")
    model.fit(X, np.eye(10, dtype="float32")[y], verbose=0)
    return model


def brain():
    model = keras.Sequential(
        [keras.Input((64,)), keras.layers.Dense(10, dtype="bfloat16"), keras.layers.Dense(2)]
    )
    model.compile(keras.optimizers.AdamW(), "mse")
    return model


def sequence():
    model = keras.Sequential(
        [
            keras.Input((8,), dtype="int32"),
            keras.layers.Embedding(17, 4, mask_zero=True),
            keras.layers.Bidirectional(keras.layers.LSTM(3)),
            keras.layers.Dense(1),
        ]
    )
    model.compile("adam", "mse", metrics=[keras.metrics.RootMeanSquaredError()])
    return model


def words():
    lookup = keras.layers.StringLookup()
    lookup.adapt(np.array(["a", "b", "b", "c"]))
    text = keras.layers.TextVectorization(max_tokens=20, output_sequence_length=3)
    text.adapt(np.array(["red green", "green blue"]))
    given = keras.Input((1,), dtype="string")
    both = keras.layers.Concatenate()([lookup(given), text(given)])
    return keras.Model(given, keras.layers.Embedding(30, 2)(both))


def never_called():
    return keras.Sequential([keras.layers.Dense(4), keras.layers.Dense(2)])


ANY_BACKEND = {
    each.__name__: each
    for each in (dense, images, two_inputs, tower, noisy, half, brain, sequence, never_called)
}
ALL = {**ANY_BACKEND, "words": words}


def inputs(name):
    """Returns data for the model of a name."""
    if name == "images":
        return X.reshape(-1, 8, 8, 1)
    if name == "two_inputs":
        return [X[:, :32], X[:, 32:]]
    if name == "sequence":
        return digits.data[:16, 8:16].astype("int32")
    if name == "words":
        return np.array([["a"], ["green"], ["other"]], dtype=object)
    return X
