"""Tables that keep nothing alive and stay within their bounds."""

import gc
import threading
import weakref

import pytest

from autolog.instrument.lineage_tables import Recent, WeakTable


class Thing:
    pass


@pytest.fixture
def table():
    return WeakTable(4)


def test_an_entry_goes_with_its_object(table):
    thing = Thing()
    watched = weakref.ref(thing)
    table.put(thing, "known")
    assert table.get(thing) == "known"
    assert table.get(Thing()) is None
    del thing
    assert watched() is None
    assert len(table) == 0


def test_objects_that_cannot_be_referred_to_are_left_out(table):
    values = [1, 2]
    assert not table.put(values, "known")
    assert table.get(values) is None
    assert len(table) == 0


def test_a_later_value_takes_the_place(table):
    thing = Thing()
    table.put(thing, 1)
    table.put(thing, 2)
    assert table.get(thing) == 2
    table.forget(thing)
    assert table.get(thing) is None


def test_equal_objects_are_not_the_same(table):
    class Equal:
        def __eq__(self, other):
            return True

        __hash__ = None

    one, other = Equal(), Equal()
    table.put(one, 1)
    assert table.get(other) is None
    assert table.get(one) == 1


def test_the_oldest_are_forgotten(table):
    things = [Thing() for _ in range(6)]
    for number, thing in enumerate(things):
        table.put(thing, number)
    assert [table.get(thing) for thing in things] == [None, None, 2, 3, 4, 5]


def test_objects_in_a_cycle(table):
    thing = Thing()
    thing.itself = thing
    table.put(thing, 1)
    del thing
    gc.collect()
    assert len(table) == 0


def test_a_place_that_is_taken_again(table):
    for number in range(200):
        thing = Thing()
        table.put(thing, number)
        assert table.get(thing) == number


def test_many_threads():
    table = WeakTable(100)
    errors = []

    def work():
        try:
            for number in range(500):
                things = [Thing() for _ in range(5)]
                for thing in things:
                    table.put(thing, number)
                assert all(table.get(thing) in (number, None) for thing in things)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    gc.collect()
    assert len(table) <= 100


def predicted(rows, content):
    made = Thing()
    made.rows, made.content, made.thread = rows, content, threading.get_ident()
    return made


def test_recent_predictions():
    recent = Recent(3)
    first, second, third = predicted(5, 1), predicted(5, 2), predicted(7, 1)
    for each in (first, second, third):
        recent.add(each)
    assert recent.find(5, 1) is first
    assert recent.of(5) == [second, first]
    assert recent.any_of(7)
    assert not recent.any_of(6)
    again = predicted(5, 1)
    recent.add(again)
    assert recent.of(5) == [again, second]
    recent.add(predicted(9, None))
    recent.add(predicted(9, None))
    assert len(recent) == 3
    assert not recent.any_of(7)
    assert recent.of(5) == [again]
    assert len(recent.of(9)) == 2
    recent.clear()
    assert len(recent) == 0
    assert not recent.any_of(9)


def test_a_threads_own_predictions_come_first():
    recent = Recent(5)
    mine, theirs = predicted(5, 1), predicted(5, 1)
    theirs.thread = -1
    recent.add(mine)
    recent.add(theirs)
    assert recent.find(5, 1) is mine
    assert recent.of(5) == [mine, theirs]
