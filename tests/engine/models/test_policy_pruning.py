"""Which checkpoints a policy lets go: what always holds, and what one would expect."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autolog_core.models.policy import Checkpoint, CheckpointPolicy, to_prune

NAN = float("nan")
counts = st.none() | st.integers(1, 4)
policies = st.builds(
    CheckpointPolicy,
    mode=st.sampled_from(["min", "max"]),
    keep_best=counts,
    keep_last=counts,
    max_bytes=st.none() | st.integers(1, 60),
)
scores = st.sampled_from([None, NAN, -math.inf, 0.0, 0.5, 1.0, math.inf])
files = st.dictionaries(st.integers(0, 9), st.just(0), max_size=4).map(
    lambda found: {key: key + 1 for key in found}
)


@st.composite
def several(draw):
    count = draw(st.integers(0, 8))
    ages = st.integers(0, 3)
    return [
        Checkpoint(f"m-{n}", draw(ages), draw(ages), draw(scores), draw(files))
        for n in range(count)
    ]


def size(kept):
    return sum({key: size for each in kept for key, size in each.files.items()}.values())


def rank(policy, each):
    sign = -1 if policy.mode == "max" else 1
    return sign * each.score, each.created, each.step, each.model_id


def ranked(policy, kept):
    scored = [each for each in kept if each.score is not None and not math.isnan(each.score)]
    return sorted(scored, key=lambda each: rank(policy, each))


def newest(kept):
    return sorted(kept, key=lambda each: (each.created, each.step, each.model_id), reverse=True)


def ids(kept):
    return [each.model_id for each in kept]


def rest(policy, kept):
    going = ids(to_prune(policy, kept))
    return [each for each in kept if each.model_id not in going]


@given(policies, several())
def test_the_best_and_the_last_always_stay(policy, kept):
    stay = ids(rest(policy, kept))
    for each in [*ranked(policy, kept)[:1], *newest(kept)[:1]]:
        assert each.model_id in stay


@given(policies, several())
def test_the_budget_holds_unless_only_the_best_and_the_last_are_left(policy, kept):
    stay = rest(policy, kept)
    protected = {*ids(ranked(policy, kept)[:1]), *ids(newest(kept)[:1])}
    if policy.max_bytes is not None and size(stay) > policy.max_bytes:
        assert set(ids(stay)) == protected


@given(policies, several())
def test_without_a_budget_what_is_named_stays_and_nothing_else(policy, kept):
    plain = replace(policy, max_bytes=None)
    best, last = ranked(plain, kept), newest(kept)
    if (plain.keep_best, plain.keep_last) == (None, None):
        expected = set(ids(kept))
    else:
        expected = {*ids(best[: plain.keep_best or 1]), *ids(last[: plain.keep_last or 1])}
    assert set(ids(rest(plain, kept))) == expected
    assert set(ids(rest(policy, kept))) <= expected


@given(policies, several())
def test_once_is_enough(policy, kept):
    assert to_prune(policy, rest(policy, kept)) == []


@given(policies, several(), st.randoms())
def test_the_order_in_which_they_are_found_does_not_matter(policy, kept, chance):
    shuffled = [*kept, *kept]
    chance.shuffle(shuffled)
    assert ids(to_prune(policy, shuffled)) == ids(to_prune(policy, kept))


@given(policies, several())
def test_what_goes_would_not_have_fitted(policy, kept):
    only = replace(policy, keep_best=None, keep_last=None)
    stay = rest(only, kept)
    for each in to_prune(only, kept):
        assert size([*stay, each]) > only.max_bytes


@given(policies, several())
def test_the_oldest_goes_first(policy, kept):
    going = to_prune(policy, kept)
    assert going == newest(going)[::-1]


def row(*found, size=10, shared=0):
    return [
        Checkpoint(f"m-{n}", n, n, score, {n: size, "shared": shared} if shared else {n: size})
        for n, score in enumerate(found)
    ]


def steps(policy, kept):
    return [each.step for each in to_prune(policy, kept)]


@pytest.mark.parametrize(
    ("options", "found", "expected"),
    [
        ({"keep_last": 2}, (0.1, 0.2, 0.3, 0.4, 0.5), [1, 2]),
        ({"keep_best": 2}, (0.4, 0.1, 0.2, 0.3, 0.5), [0, 3]),
        ({"keep_best": 1, "keep_last": 1}, (0.1, 0.1, 0.2), [1]),
        ({"keep_best": 2, "mode": "max"}, (0.9, NAN, 0.9, 0.8, 0.1), [1, 3]),
        ({"keep_last": 1}, (None, None, None), [0, 1]),
        ({"keep_best": 3}, (NAN, 0.3, None, 0.1), [0, 2]),
        ({}, (0.1, 0.2, 0.3), []),
        # Three have room: the best, the last and the second best.
        ({"max_bytes": 35}, (0.4, 0.2, 0.1, 0.3, 0.5), [0, 3]),
        ({"max_bytes": 35, "keep_last": 3}, (0.1, 0.4, 0.3, 0.2, 0.5), [1, 2]),
        ({"max_bytes": 35, "keep_last": 3, "keep_best": 3}, (0.1, 0.4, 0.3, 0.2, 0.5), [1, 2]),
        ({"max_bytes": 35}, (None, None, None, None), [0]),
        ({"max_bytes": 5}, (0.1, 0.2, 0.3), [1]),
    ],
)
def test_what_goes(options, found, expected):
    assert steps(CheckpointPolicy(**options), row(*found)) == expected


def test_a_file_that_checkpoints_share_counts_once():
    kept = row(0.1, 0.2, 0.3, 0.4, size=1, shared=100)
    assert steps(CheckpointPolicy(max_bytes=104), kept) == []
    assert steps(CheckpointPolicy(max_bytes=103), kept) == [2]
    assert steps(CheckpointPolicy(max_bytes=99), kept) == [1, 2]


def test_what_takes_no_room_of_its_own_stays():
    kept = [*row(0.1, 0.2, 0.3, size=50), Checkpoint("m-copy", 9, -1, 0.9, {0: 50})]
    assert steps(CheckpointPolicy(max_bytes=100), kept) == [1]
