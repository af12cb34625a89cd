"""Wrapped functions behave like functions, and undo leaves nothing behind."""

import copy
import gc
import inspect
import pickle
import weakref
from types import SimpleNamespace

import cloudpickle
import pytest

from autolog.instrument.guard import Site
from autolog.instrument.patcher import PatchSet
from autolog.instrument.scope import outermost, suppress
from autolog.instrument.spec import Options
from autolog.instrument.wrapper import Wrapper
from autolog_core.errors import InvalidArgument


@pytest.fixture
def lib(toy):
    return toy.lib()


@pytest.fixture
def calls():
    return []


@pytest.fixture
def patches(calls):
    made = PatchSet(SimpleNamespace(spec=SimpleNamespace(name="toy"), options=Options()))
    yield made
    made.undo()


def plain_observer(seen):
    class Observer:
        def __init__(self, options): ...

        def wants(self, call):
            seen.append(call.arguments())
            return False

    return Observer


def test_every_kind_of_function_is_seen_and_restored(lib, patches, calls):
    places = [(lib.Model, "fit"), (lib.Model, "made"), (lib.Model, "helper"), (lib, "train")]
    before = [owner.__dict__[name] for owner, name in places]
    for owner, name in places:
        assert patches.observe(owner, name, plain_observer(calls))
        assert not patches.observe(owner, name, plain_observer(calls))
    model = lib.Model()
    assert model.fit([1]) is model
    assert lib.Model.fit(model, [2]) is model
    assert isinstance(lib.Child.made([3]), lib.Child)
    assert isinstance(model.made([4]), lib.Model)
    assert lib.Model.helper([5]).seen[0] == [5]
    assert model.helper([6]).seen[0] == [6]
    assert lib.train([7]).seen[0] == [7]
    assert calls == [{"rows": [number]} for number in range(1, 8)]
    assert patches.undo() == []
    assert all(
        owner.__dict__[name] is raw for (owner, name), raw in zip(places, before, strict=True)
    )


def test_an_inherited_method_leaves_no_copy(lib, patches, calls):
    patches.observe(lib.Child, "fit", plain_observer(calls))
    lib.Child().fit([1])
    lib.Model().fit([2])
    assert calls == [{"rows": [1]}]
    patches.undo()
    assert "fit" not in lib.Child.__dict__


def test_functions_that_return_before_they_ran_are_refused(lib, patches, calls):
    for name in ("later", "lazily"):
        with pytest.raises(InvalidArgument, match="returns before it has run"):
            patches.observe(lib, name, plain_observer(calls))
    with pytest.raises(InvalidArgument, match=r"toylib\.nothing cannot be watched"):
        patches.observe(lib, "nothing", plain_observer(calls))


def test_what_others_put_over_ours_stays_and_works(lib, patches, calls):
    patches.observe(lib.Model, "fit", plain_observer(calls))
    ours = lib.Model.__dict__["fit"]

    def theirs(self, rows):
        return ours.__get__(self, type(self))(rows)

    lib.Model.fit = theirs
    assert patches.undo() == ["toylib.Model.fit"]
    assert lib.Model.__dict__["fit"] is theirs
    assert lib.Model().fit([1]).seen[0] == [1]
    assert calls == []


def test_replaced_entries_come_back_raw(lib, patches):
    raw = lib.Model.__dict__["made"]
    patches.replace(lib.Model, "made", classmethod(lambda cls, rows: "other"))
    patches.replace(lib.Model, "new", 1)
    assert lib.Model.made([1]) == "other"
    patches.undo()
    assert lib.Model.__dict__["made"] is raw
    assert "new" not in lib.Model.__dict__


def test_a_patched_class_can_go_away(patches, calls):
    class Passing:
        def fit(self):
            return __class__

    patches.observe(Passing, "fit", plain_observer(calls))
    gone = weakref.ref(Passing)
    del Passing
    gc.collect()
    assert gone() is None
    assert patches.undo() == []


def test_pickles_hold_nothing_of_us(lib, patches, calls):
    patches.observe(lib.Model, "fit", plain_observer(calls))
    patches.observe(lib, "train", plain_observer(calls))
    model = lib.Model()
    for value in (model, model.fit, lib.Model.fit, lib.train, lib.Model):
        for dump in (pickle.dumps, cloudpickle.dumps):
            stored = dump(value)
            assert b"autolog" not in stored
            assert b"wrapt" not in stored
            loaded = pickle.loads(stored)
            assert getattr(loaded, "__name__", None) == getattr(value, "__name__", None)
    assert pickle.loads(pickle.dumps(lib.train)) is lib.train
    assert pickle.loads(pickle.dumps(model.fit))([1]).seen[0] == [1]


def test_copies(lib, patches, calls):
    patches.observe(lib.Model, "fit", plain_observer(calls))
    model = lib.Model(rate=7)
    assert copy.copy(model.fit) == model.fit
    other = copy.deepcopy(model.fit).__self__
    assert other is not model
    assert other.rate == 7
    assert copy.deepcopy(lib.Model.fit).__qualname__ == "Model.fit"
    raw = lib.Model.__dict__["fit"]
    assert copy.deepcopy(raw) is raw
    assert copy.copy(raw) is raw


def test_a_class_of_main_is_pickled_by_value_without_us(patches, calls):
    space = {"__name__": "__main__"}
    exec("class Own:\n    def fit(self, rows):\n        return __class__, rows", space)
    patches.observe(space["Own"], "fit", plain_observer(calls))
    stored = cloudpickle.dumps(space["Own"]())
    assert b"autolog" not in stored
    assert b"wrapt" not in stored
    assert type(pickle.loads(stored)).fit.__class__ is not Wrapper


def test_introspection(lib, patches, calls):
    signature = inspect.signature(lib.Model.fit)
    documented = lib.Model.fit.__doc__
    patches.observe(lib.Model, "fit", plain_observer(calls))
    assert inspect.signature(lib.Model.fit) == signature
    assert list(inspect.signature(lib.Model().fit).parameters) == ["rows", "weight", "extra"]
    assert inspect.isfunction(lib.Model.fit)
    assert inspect.ismethod(lib.Model().fit)
    assert lib.Model.fit.__doc__ is documented
    assert (lib.Model.fit.__name__, lib.Model.fit.__module__) == ("fit", "toylib")
    assert "def fit" in inspect.getsource(lib.Model.fit)
    assert lib.Model.fit == lib.Model.__dict__["fit"].__wrapped__


def test_inner_calls_do_not_enter_our_code(lib, patches, calls, monkeypatch):
    patches.observe(lib.Model, "fit", plain_observer(calls))
    monkeypatch.setattr(Site, "__call__", lambda *_: pytest.fail("entered"))
    with suppress():
        assert not outermost.get()
        lib.Model().fit([1])
    assert calls == []
