"""When a checkpoint is saved, how a policy is written down, and what it refuses."""

from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest

from autolog_core.errors import InvalidArgument
from autolog_core.models.policy import (
    CheckpointPolicy,
    CheckpointState,
    advance,
    check_monitor,
    mode_of,
    parse_size,
    should_save,
)

NAN, INF = float("nan"), float("inf")


def saved(policy, calls):
    """Returns the indices of the calls (step, epoch, score) that save a checkpoint."""
    state, found = CheckpointState(), []
    for index, (step, epoch, score) in enumerate(calls):
        metrics = {} if score is None else {policy.monitor: score}
        due = should_save(policy, state, step=step, epoch=epoch, metrics=metrics)
        state = advance(policy, state, step=step, epoch=epoch, score=score, saved=due)
        if due:
            found.append(index)
    return found


def epochs(count, first=0):
    return [(10 * each, each, None) for each in range(first, first + count)]


@pytest.mark.parametrize(
    ("policy", "calls", "expected"),
    [
        (CheckpointPolicy(), epochs(3), [0, 1, 2]),
        (CheckpointPolicy(), [(step, None, None) for step in (5, 5, 6)], [0, 1, 2]),
        # Called at each step: once per epoch.
        (CheckpointPolicy(), [(step, step // 3, None) for step in range(7)], [0, 3, 6]),
        (CheckpointPolicy(every_n_epochs=3), epochs(8), [0, 3, 6]),
        (CheckpointPolicy(every_n_epochs=3), epochs(8, first=1), [0, 3, 6]),
        # An epoch that was left out does not put the next one off.
        (CheckpointPolicy(every_n_epochs=3), [(0, e, None) for e in (0, 2, 4, 6, 7)], [0, 2, 4]),
        (CheckpointPolicy(every_n_steps=100), [(s, None, None) for s in range(0, 301, 50)],
         [0, 2, 4, 6]),
        # The training begins again, or goes on from an earlier checkpoint.
        (CheckpointPolicy(every_n_steps=10), [(s, None, None) for s in (0, 10, 15, 3, 9, 13)],
         [0, 1, 3, 5]),
        (CheckpointPolicy(every_n_epochs=2), [(0, e, None) for e in (0, 2, 0, 1, 2)], [0, 1, 2, 4]),
    ],
)  # fmt: skip
def test_how_often(policy, calls, expected):
    assert saved(policy, calls) == expected


@pytest.mark.parametrize(
    ("options", "scores", "expected"),
    [
        ({}, [0.5, 0.4, 0.4, 0.6, 0.1], [0, 1, 4]),
        ({"mode": "max"}, [0.5, 0.4, 0.5, 0.6, INF], [0, 3, 4]),
        # NaN is never best, and what was not scored neither.
        ({}, [NAN, 0.5, NAN, None, 0.4], [1, 4]),
        ({"mode": "max"}, [NAN, -INF, NAN, None, 0.4], [1, 4]),
        ({}, [INF, 0.5], [0, 1]),
    ],
)
def test_only_the_best(options, scores, expected):
    policy = CheckpointPolicy(save_best_only=True, **options)
    assert saved(policy, [(s, s, score) for s, score in enumerate(scores)]) == expected
    # Twice in an epoch, which alone would not be due.
    assert saved(policy, [(s, 0, score) for s, score in enumerate(scores)]) == expected


def test_only_the_best_of_those_that_are_due():
    policy = CheckpointPolicy(save_best_only=True, every_n_epochs=2)
    calls = [(epoch, epoch, score) for epoch, score in enumerate((0.5, 0.1, 0.4, 0.2, 0.3, 0.45))]
    assert saved(policy, calls) == [0, 2, 4]


def test_several_epochs_need_the_epoch():
    with pytest.raises(InvalidArgument, match=r"every_n_epochs=2.*epoch="):
        should_save(CheckpointPolicy(every_n_epochs=2), CheckpointState(), step=1)


def test_scores_of_any_library_are_numbers():
    policy = CheckpointPolicy(save_best_only=True)
    metrics = {"val_loss": np.float32(0.5)}
    assert should_save(policy, CheckpointState(best=0.6), step=1, metrics=metrics)
    assert not should_save(policy, CheckpointState(best=0.5), step=1, metrics=metrics)
    with pytest.raises(InvalidArgument, match="val_loss"):
        should_save(policy, CheckpointState(), step=1, metrics={"val_loss": "low"})


def test_a_policy_that_decides_by_a_metric_is_given_it_at_once():
    best = CheckpointPolicy(keep_best=2)
    with pytest.raises(InvalidArgument, match=r"monitors 'val_loss', but metrics has acc, loss"):
        check_monitor(best, CheckpointState(), {"loss": 1, "acc": 0})
    with pytest.raises(InvalidArgument, match="no metrics are given"):
        check_monitor(CheckpointPolicy(save_best_only=True), CheckpointState(), {})
    # Later on an epoch may well go by without a validation.
    check_monitor(best, advance(best, CheckpointState(), step=0, score=NAN), {})
    check_monitor(CheckpointPolicy(keep_last=2), CheckpointState(), {})


@pytest.mark.parametrize(
    ("monitor", "mode"),
    [
        ("val_loss", "min"),
        ("loss", "min"),
        ("validation-mlogloss", "min"),
        ("train-rmse", "min"),
        ("val_sparse_categorical_crossentropy", "min"),
        ("mean_absolute_error", "min"),
        ("Test/MSE", "min"),
        ("perplexity", "min"),
        ("eval_loss2", "min"),
        ("neg_mean_squared_error", "max"),
        ("val_accuracy", "max"),
        ("top5Accuracy", "max"),
        ("val_acc", "max"),
        ("AUROC", "max"),
        ("mAP", "max"),
        ("valF1", "max"),
        ("f1_macro", "max"),
        ("rouge2", "max"),
        ("r2", "max"),
        ("training_score", "max"),
        ("bbox mAP 50", "max"),
    ],
)
def test_the_name_of_a_metric_tells_its_direction(monitor, mode):
    assert mode_of(monitor) == CheckpointPolicy(monitor=monitor).mode == mode


@pytest.mark.parametrize("monitor", ["reward", "brier_score_loss", "glossary", "accurate", "x"])
def test_a_name_that_does_not_tell(monitor):
    with pytest.raises(InvalidArgument, match=f"{monitor}.*mode='min'.*mode='max'"):
        CheckpointPolicy(monitor=monitor)
    assert CheckpointPolicy(monitor=monitor, mode="max").mode == "max"


@pytest.mark.parametrize(
    ("size", "number"),
    [
        ("10 GB", 10_000_000_000),
        ("1.5gb", 1_500_000_000),
        ("512 MiB", 512 * 2**20),
        ("2K", 2000),
        ("1 TiB", 2**40),
        ("100", 100),
        ("100b", 100),
        (123, 123),
        (1e3, 1000),
        (None, None),
    ],
)
def test_a_size(size, number):
    assert parse_size(size) == CheckpointPolicy(max_bytes=size).max_bytes == number


@pytest.mark.parametrize(
    "size", ["", "many", "10 XB", "-1", "0", 0, -5, 0.5, True, NAN, INF, "5 iB", "1 2", b"1", "٣"]
)
def test_no_size(size):
    with pytest.raises(InvalidArgument, match="max_bytes"):
        CheckpointPolicy(max_bytes=size)


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"every_n_epochs": 0}, "every_n_epochs"),
        ({"every_n_epochs": 1.5}, "every_n_epochs"),
        ({"every_n_epochs": None}, "every_n_steps"),
        ({"every_n_steps": True}, "every_n_steps"),
        ({"every_n_steps": 5, "every_n_epochs": 2}, "cannot both"),
        ({"keep_best": 0}, "keep_best"),
        ({"keep_last": -1}, "keep_last"),
        ({"save_best_only": 1}, "save_best_only"),
        ({"mode": "lowest"}, "mode"),
        ({"monitor": ""}, "metric key"),
        ({"monitor": None}, "metric key"),
    ],
)
def test_what_a_policy_refuses(options, word):
    with pytest.raises(InvalidArgument, match=word):
        CheckpointPolicy(**options)


def test_a_policy_is_plain_data():
    policy = CheckpointPolicy(every_n_steps=5, keep_best=2, keep_last=1, max_bytes="1 kB")
    assert policy.every_n_epochs is None
    assert policy.limits_text() == "keep_best=2, keep_last=1, max_bytes=1000"
    assert policy == replace(policy) == eval(repr(policy))
    assert hash(policy) == hash(replace(policy))
    assert replace(policy, keep_best=3).keep_best == 3
    with pytest.raises(FrozenInstanceError):
        policy.keep_best = 3
    assert CheckpointPolicy(max_bytes=1).prunes
    assert not CheckpointPolicy(save_best_only=True).prunes
