from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from autolog_core.cli.render.text import (
    ago,
    duration,
    exact,
    iso_time,
    number,
    plain,
    plain_lines,
    shorten,
    size,
    without_login,
)

NOW = 1_700_000_000_000


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "0"),
        (1.0, "1"),
        (0.123456789, "0.12346"),
        (123456.789, "123457"),
        (1e-9, "1e-09"),
        (2.5e12, "2.5e+12"),
        (float("nan"), "NaN"),
        (float("inf"), "inf"),
        (float("-inf"), "-inf"),
        (None, ""),
    ],
)
def test_number_is_short(value, shown):
    assert number(value) == shown


@given(st.floats(allow_nan=False))
def test_exact_number_reads_back(value):
    assert float(exact(value)) == value


@pytest.mark.parametrize(
    ("milliseconds", "shown"),
    [
        (None, ""),
        (0, "0 ms"),
        (999, "999 ms"),
        (1000, "1.0 s"),
        (59_949, "59.9 s"),
        (59_990, "1m 00s"),
        (3_599_900, "1h 00m"),
        (86_400_000, "1d 00h"),
        (-1500, "-1.5 s"),
    ],
)
def test_duration_has_two_units(milliseconds, shown):
    assert duration(milliseconds) == shown


@pytest.mark.parametrize(
    ("before", "shown"),
    [
        (0, "just now"),
        (12_000, "12 s ago"),
        (60_000, "1 min ago"),
        (47 * 3_600_000, "47 h ago"),
        (3 * 86_400_000, "3 d ago"),
    ],
)
def test_ago(before, shown):
    assert ago(NOW - before, NOW) == shown


def test_far_and_future_times_are_dates():
    assert ago(NOW - 90 * 86_400_000, NOW) == "2023-08-16"
    assert ago(NOW + 60_000, NOW).startswith("2023-11-1")
    assert ago(10**17, NOW) == str(10**17)


def test_iso_time_reads_back():
    assert datetime.fromisoformat(iso_time(NOW + 7)).timestamp() * 1000 == NOW + 7
    assert iso_time(10**17) == str(10**17)


@pytest.mark.parametrize(
    ("amount", "shown"), [(None, ""), (0, "0 B"), (999, "999 B"), (1000, "1 kB"), (2.5e9, "2.5 GB")]
)
def test_size(amount, shown):
    assert size(amount) == shown


@given(st.text())
def test_plain_text_cannot_steer_a_terminal(text):
    cleaned = plain(text)
    assert not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or c in "\u202e\u2066" for c in cleaned)
    assert "\x1b" not in plain_lines(text)


@given(st.text(st.characters(exclude_categories=("C",))), st.integers(1, 40))
def test_shortened_text_fits(text, width):
    short = shorten(text, width)
    assert cell_len(short) <= width
    assert short == text or cell_len(text) > width


def test_login_of_an_address_is_masked():
    masked = without_login("cannot reach 'http://me:pw@host/x' now")
    assert masked == "cannot reach 'http://***@host/x' now"
