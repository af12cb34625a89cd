"""What the user's code calls a value."""

import gc
import sys
import types
import weakref

import numpy as np
import pytest

from autolog.instrument.lineage_names import argument_name, spelled, variable_of


class Value:
    """Something to look for."""


def name_of(value, above=1):
    return variable_of(value, sys._getframe(above))


GLOBAL = Value()
_HIDDEN = Value()


def test_a_local_variable():
    mine = Value()
    assert name_of(mine) == "mine"


def test_a_global_variable_that_a_function_uses():
    assert name_of(GLOBAL) == "GLOBAL"


def test_a_hidden_name_if_there_is_no_other():
    assert name_of(_HIDDEN) == "_HIDDEN"
    _private = Value()
    public = _private
    assert name_of(public) == "public"


def test_an_argument_is_called_as_the_caller_calls_it():
    def inner(data):
        return name_of(data)

    def outer(features, *rest, **more):
        return inner(features), inner(rest[0]), inner(more["key"])

    ours, other, third = Value(), Value(), Value()
    assert outer(ours, other, key=third) == ("ours", "other", "third")


def test_an_argument_that_no_caller_has_a_name_for():
    def inner(data):
        return name_of(data)

    assert inner(Value()) == "data"


def test_an_argument_that_was_given_another_name():
    def inner(data):
        renamed = data
        return name_of(renamed)

    ours = Value()
    assert ours is not None
    # The first name of a frame counts, and it is the argument's.
    assert inner(ours) == "ours"


def test_a_variable_that_a_closure_uses():
    ours = Value()

    def inner():
        return name_of(ours)

    assert inner() == "ours"


def test_the_body_of_a_class():
    class Body:
        inside = Value()
        name = name_of(inside)

    assert Body.name == "inside"


def test_what_has_no_name():
    assert name_of(Value()) is None
    assert name_of([Value()][0]) is None
    assert variable_of(Value(), None) is None


def test_a_search_keeps_nothing_alive():
    def use():
        ours = Value()
        watched = weakref.ref(ours)
        assert name_of(ours) == "ours"
        del ours
        assert watched() is None

    use()


def test_the_users_dictionary_of_variables_is_untouched():
    def use():
        ours = Value()
        before = locals()
        assert name_of(ours) == "ours"
        return before, dict(before)

    before, copied = use()
    assert before == copied
    assert "ours" in before


def test_variables_are_what_they_were_under_a_tracer():
    def use():
        ours = Value()
        number = 1
        name = name_of(ours)
        number += 1
        return name, number, ours is not None

    frames = []

    def trace(frame, event, argument):
        frames.append(event)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        assert use() == ("ours", 2, True)
    finally:
        sys.settrace(before)
    assert frames


class Model:
    """Tells what its first argument is called."""

    def __init__(self):
        self.X_test = Value()

    def predict(self, X, **more):
        frame = sys._getframe(1)
        return argument_name(frame.f_code, frame.f_lasti, 0, ("X",), frame)

    def of_own(self):
        return self.predict(self.X_test)


class Anything:
    """Has every attribute, method and item."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Anything()

    def __call__(self, *args, **kwargs):
        return Anything()

    def __getitem__(self, key):
        return Anything()


X_test = df = scaler = splits = columns = Anything()
model = Model()


def test_the_name_in_an_expression():
    assert model.predict(X_test) == "X_test"
    assert model.predict(X=X_test, verbose=True) == "X_test"
    assert model.predict(X_test[columns]) == "X_test"
    assert model.predict(X_test[3:]) == "X_test"
    assert model.predict(X_test.values) == "X_test"
    assert model.predict(df.iloc[3:].values) == "df"
    assert model.predict(df.drop(columns)) == "df"
    assert model.predict(scaler.transform(X_test)) == "X_test"
    assert model.predict(scaler.transform(X_test.copy())) == "X_test"
    assert model.predict(np.isscalar(X_test)) == "X_test"
    assert model.predict(np.s_[X_test, X_test]) == "X_test"
    assert model.predict(np.array([1.0]) + np.array([2.0])) is None
    assert model.predict(splits["test"]) == "splits.test"
    assert model.predict(df.features) == "df.features"
    assert model.of_own() == "X_test"
    assert model.predict([[1, 2]]) is None
    assert model.predict(*[X_test]) is None


def test_an_expression_of_many_lines():
    name = model.predict(
        scaler.transform(
            X_test,
        ),
    )
    # Bytes count, not letters.
    assert (name, "äöü", model.predict(X_test)) == ("X_test", "äöü", "X_test")


def test_a_module_is_no_data():
    assert isinstance(np, types.ModuleType)
    assert model.predict(np.random) is None


@pytest.mark.parametrize("source", ["model.predict(X_test)", "(lambda: model.predict(X_test))()"])
def test_code_without_source(source):
    assert eval(compile(source, "<nowhere>", "eval"), globals()) is None


def test_code_whose_file_has_changed(tmp_path):
    path = tmp_path / "program.py"
    path.write_text("name = model.predict(X_test)\n")
    code = compile(path.read_text(), str(path), "exec")
    path.write_text("name = )(\n")
    space = {"model": model, "X_test": X_test}
    exec(code, space)
    assert space["name"] is None


def test_arguments_in_the_record_of_a_call():
    ours = Value()
    frame = sys._getframe()
    assert spelled(ours, frame) == "ours"
    assert spelled(Value(), frame) == "<Value>"
    assert spelled([1, 2], frame) == "<list>"
    assert spelled("macro", frame) == "'macro'"
    assert spelled("x" * 40, frame) == repr("x" * 32 + "...")
    assert spelled(None, frame) == "None"
    assert spelled(0.5, frame) == "0.5"


def test_a_frame_is_let_go():
    def use():
        ours = Value()
        name_of(ours)
        return weakref.ref(ours)

    watched = use()
    gc.collect()
    assert watched() is None
