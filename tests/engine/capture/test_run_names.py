"""Names of runs."""

import random
import re

from autolog_core.capture.names import ADJECTIVES, NOUNS, random_name


def test_words_are_plain_and_different():
    for words in (ADJECTIVES, NOUNS):
        assert len(words) >= 100
        assert len(set(words)) == len(words)
        assert all(re.fullmatch(r"[a-z]{2,10}", word) for word in words)
    assert not set(ADJECTIVES) & set(NOUNS)


def test_names_differ_and_have_one_form():
    names = [random_name() for _ in range(2000)]
    assert len(set(names)) > 1990
    assert all(re.fullmatch(r"[a-z]+-[a-z]+-\d{1,3}", name) for name in names)


def test_the_users_random_numbers_are_left_alone():
    state = random.getstate()
    random.seed(1)
    before = random.getstate()
    first = random_name()
    random.seed(1)
    assert random_name() != first
    assert random.getstate() == before
    random.setstate(state)


def test_a_source_of_bytes_makes_names_repeatable():
    assert random_name(random.Random(1).randbytes) == random_name(random.Random(1).randbytes)
