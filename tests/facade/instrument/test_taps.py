"""A tapped function is the object that it was, and does what it did."""

import inspect
import pickle
import sys
import traceback
import types

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autolog.instrument.taps import Tap
from autolog_core.errors import InvalidArgument

SOURCE = '''
def area(width, height=2, *more, unit="m", **rest):
    """The area."""
    if width < 0:
        raise ValueError("width")
    return (width, height, more, unit, rest)

def placed(a, b=3, /, c=4, *, d):
    return a, b, c, d

class Box:
    def lid(self, size=1):
        return self, size

def outer():
    inside = 1
    def closed():
        return inside
    return closed
'''


@pytest.fixture
def lib(monkeypatch, tmp_path):
    path = tmp_path / "tapped_lib.py"
    path.write_text(SOURCE)
    module = types.ModuleType("tapped_lib")
    module.__file__ = str(path)
    exec(compile(SOURCE, str(path), "exec"), module.__dict__)
    monkeypatch.setitem(sys.modules, "tapped_lib", module)
    return module


def test_calls_are_seen_and_nothing_about_the_function_changes(lib):
    seen = []
    held, signature, source = lib.area, inspect.signature(lib.area), inspect.getsource(lib.area)
    tap = Tap(
        lib.area,
        lambda args, kwargs: seen.append((args, kwargs)),
        lambda args, kwargs, result, error: seen.append((args, result, error)),
    )
    assert held is lib.area
    assert held(1, unit="cm", depth=4) == (1, 2, (), "cm", {"depth": 4})
    assert seen[0] == ((1, 2), {"unit": "cm", "depth": 4})
    assert seen[1] == ((1, 2), (1, 2, (), "cm", {"depth": 4}), None)
    assert inspect.signature(lib.area) == signature
    assert inspect.getsource(lib.area) == source
    assert lib.area.__doc__ == "The area."
    assert pickle.loads(pickle.dumps(lib.area)) is lib.area
    names = set(vars(lib))
    assert tap.undo()
    assert set(vars(lib)) < names
    lib.area(1)
    assert len(seen) == 2


def test_errors_pass_and_are_seen(lib):
    seen = []
    Tap(lib.area, None, lambda args, kwargs, result, error: seen.append(error))
    with pytest.raises(ValueError, match="width") as caught:
        lib.area(-1)
    assert seen == [caught.value]
    assert "raise ValueError" in "".join(traceback.format_exception(caught.value))
    with pytest.raises(TypeError, match="area\\(\\) missing 1 required positional argument"):
        lib.area()


def test_calls_that_are_not_to_be_looked_at(lib):
    seen, asked = [], [False, True, False]
    Tap(lib.placed, lambda args, kwargs: seen.append(args), unless=lambda: asked.pop(0))
    for place in range(3):
        assert lib.placed(place, d=5) == (place, 3, 4, 5)
    assert seen == [(0, 3, 4), (2, 3, 4)]


def test_methods_and_marked_parameters(lib):
    seen = []
    Tap(lib.Box.lid, lambda args, kwargs: seen.append(args))
    Tap(lib.placed, lambda args, kwargs: seen.append((args, kwargs)))
    box = lib.Box()
    assert box.lid(size=3) == (box, 3)
    assert lib.placed(1, d=5) == (1, 3, 4, 5)
    assert seen == [(box, 3), ((1, 3, 4), {"d": 5})]
    with pytest.raises(TypeError, match="positional-only"):
        lib.placed(a=1, d=5)


def test_what_cannot_be_tapped_is_refused(lib):
    for function in (len, lib.outer(), lib.Box, lambda: lib):
        with pytest.raises(InvalidArgument, match="cannot be tapped"):
            Tap(function)


def test_another_s_code_is_left_alone(lib):
    tap = Tap(lib.placed)
    theirs = (lambda a, b=3, /, c=4, *, d: "theirs").__code__
    lib.placed.__code__ = theirs
    assert not tap.undo()
    assert lib.placed(1, d=1) == "theirs"


@given(st.lists(st.integers(), max_size=6), st.dictionaries(st.sampled_from("uvw"), st.integers()))
def test_any_arguments_arrive_as_they_were(args, kwargs):
    def plain(first=1, /, *others, v=2, **rest):
        return first, others, v, rest

    expected = plain(*args, **kwargs)
    tap = Tap(plain)
    try:
        assert plain(*args, **kwargs) == expected
    finally:
        tap.undo()
