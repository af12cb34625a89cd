"""What a logging call accepted survives the death of its process, exactly once."""

import importlib.util
import random
import sys
from pathlib import Path

import pytest

_SPEC = importlib.util.spec_from_file_location("killing", Path(__file__).with_name("killing.py"))
assert _SPEC is not None
assert _SPEC.loader is not None
killing = importlib.util.module_from_spec(_SPEC)
sys.modules["killing"] = killing
_SPEC.loader.exec_module(killing)


@pytest.mark.parametrize("number", range(10))
def test_kill_at_a_random_moment(tmp_path, number):
    outcome = killing.kill_once(tmp_path, random.Random(number).uniform(0.0, 0.6))
    assert outcome.lost == 0
    assert outcome.doubled == 0
    assert 0 <= outcome.unacknowledged <= killing.THREADS
    assert outcome.failed_with_cause
