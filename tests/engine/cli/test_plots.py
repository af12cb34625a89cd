import math

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from autolog_core.cli.render.axes import row_ticks, share
from autolog_core.cli.render.plots import Curve, curve_of, plot, sparkline
from autolog_core.cli.render.side_by_side import side_by_side
from autolog_core.stores.base import MetricSeries

values = st.lists(st.floats(), min_size=1, max_size=60)


def curve(ys, label="loss"):
    return Curve(label, list(range(len(ys))), ys)


def rows(text):
    return text.plain.rstrip("\n").split("\n")


@given(values, st.integers(20, 120), st.integers(3, 20), st.booleans(), st.booleans())
@example([1.7976931348622105e308], 20, 3, True, False)
def test_any_values_fit_the_space(ys, width, height, log, ascii_only):
    drawn = plot([curve(ys)], width, height, log=log, ascii_only=ascii_only)
    lines = rows(drawn)
    assert all(len(line) <= max(width, 32) for line in lines)
    drawable = [y for y in ys if math.isfinite(y) and (y > 0 or not log)]
    assert len(lines) == (height + 2 if drawable else 1)
    assert not ascii_only or drawn.plain.isascii()


@given(values, st.integers(1, 30))
def test_sparkline_is_as_wide_as_asked(ys, width):
    line = sparkline(ys, width)
    assert len(line) in (0, min(width, len(ys)))
    assert (line == "") == (not any(map(math.isfinite, ys)))


def test_sparkline_goes_up_with_the_values():
    assert sparkline([1, 2, 3, 4, 5, 6, 7, 8], 8) == "▁▂▃▄▅▆▇█"
    assert sparkline([8.0, math.nan, 1.0], 3) == "█ ▁"
    assert sparkline([5.0, 5.0], 2) == "▅▅"
    assert sparkline([1, 2], 2, ascii_only=True) == "_@"


def test_a_rising_line_runs_from_corner_to_corner():
    lines = rows(plot([curve([0, 1, 2, 3, 4])], 30, 5, ascii_only=True))
    drawing = [line.split("|", 1)[1] for line in lines[:5]]
    assert drawing[0].endswith("*")
    assert drawing[4].startswith("*")
    assert lines[0].startswith("4 |")
    assert lines[4].startswith("0 |")
    assert lines[6].split() == ["0", "step", "4"]


def test_a_spike_is_drawn():
    ys = [0.0] * 1000
    ys[500] = 9.0
    lines = rows(plot([curve(ys)], 60, 8))
    assert any(character not in " ┤│⠀" for character in lines[0].split("┤")[-1].split("│")[-1])


def test_curves_without_colour_have_their_own_marks():
    drawn = plot([curve([0, 1], "a"), curve([1, 0], "b")], 40, 6, colour=False).plain
    assert "* a" in drawn
    assert "o b" in drawn
    assert "*" in rows(plot([curve([0, 1], "a"), curve([1, 0], "b")], 40, 6, colour=False))[5]


def test_what_cannot_be_drawn_is_told():
    assert rows(plot([curve([math.nan])], 40)) == ["no finite value to draw"]
    assert rows(plot([curve([-1.0])], 40, log=True)) == ["no positive finite value to draw"]
    both = plot([curve([1.0, 2.0], "good"), curve([math.nan], "bad")], 60, 4).plain
    assert "bad (nothing to draw)" in both


def test_labels_cannot_steer_the_terminal():
    drawn = plot([curve([1, 2], "\x1b[31m"), curve([2, 1], "b\nc")], 60, 4, title="t\x07").plain
    assert "\x1b" not in drawn
    assert "\x07" not in drawn


def test_one_point_is_in_the_middle():
    lines = rows(plot([Curve("k", [3], [2.5])], 40, 5, ascii_only=True))
    assert lines[2].startswith("2.5 |")
    assert "step 3" in lines[-1]


@given(
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(3, 30),
)
def test_ticks_stand_within_the_axis(one, other, height):
    low, high = sorted((one, other))
    ticks = row_ticks(low, high, height, log=False)
    assert ticks
    assert all(0 <= row < height for row in ticks)
    assert 0 <= share(low, low, high) <= share(high, low, high) <= 1


def test_logarithmic_ticks_are_powers_of_ten():
    assert set(row_ticks(-3.0, 1.0, 13, log=True).values()) == {"0.001", "0.01", "0.1", "1", "10"}


def test_series_is_drawn_in_the_order_of_its_steps():
    series = MetricSeries(
        "r",
        "k",
        np.array([2, 1]),
        np.array([10, 20]),
        np.array([0.2, 0.1]),
        ((None, None, None),),
        np.zeros(2, np.int32),
    )
    assert curve_of(series) == Curve("k", [1, 2], [0.1, 0.2])


def test_blocks_stand_side_by_side():
    left, right = plot([curve([1, 2])], 30, 3), plot([curve([2, 1])], 30, 4)
    lines = rows(side_by_side([left, right], 30, gap=2, indent=1))
    assert lines[0].count("┤") + lines[0].count("│") == 2
    assert len(lines) == 6
