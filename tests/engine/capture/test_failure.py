"""Exceptions as bounded text, whatever they are."""

from json import JSONDecodeError

from autolog_core.capture.failure import MESSAGE_LENGTH, TRACEBACK_LENGTH, describe
from autolog_core.limits import TAG_VALUE_LENGTH, check_text


def caught(function, *arguments):
    try:
        function(*arguments)
    except BaseException as error:
        return error
    raise AssertionError("nothing was raised")


def fail(error):
    raise error


def test_a_plain_error():
    failure = describe(caught(fail, ValueError("bad learning rate")))
    assert (failure.type, failure.message) == ("ValueError", "bad learning rate")
    assert failure.traceback.startswith("Traceback (most recent call last):")
    assert "in fail" in failure.traceback
    assert failure.traceback.rstrip().endswith("ValueError: bad learning rate")


def test_classes_are_named_with_their_module():
    class OutOfMemory(RuntimeError):
        pass

    assert describe(OutOfMemory("x")).type.endswith(
        "classes_are_named_with_their_module.<locals>.OutOfMemory"
    )
    assert describe(JSONDecodeError("x", "", 0)).type == "json.decoder.JSONDecodeError"
    assert describe(KeyboardInterrupt()).type == "KeyboardInterrupt"


def test_causes_and_contexts_are_in_the_traceback():
    def chained():
        try:
            raise KeyError("inner")
        except KeyError as error:
            raise ValueError("outer") from error

    failure = describe(caught(chained))
    assert failure.message == "outer"
    assert "KeyError: 'inner'" in failure.traceback
    assert "direct cause" in failure.traceback


def test_groups_are_in_the_traceback():
    group = ExceptionGroup("workers", [ValueError("one"), ExceptionGroup("in", [OSError("two")])])
    failure = describe(caught(fail, group))
    assert failure.message == "workers (2 sub-exceptions)"
    assert "ValueError: one" in failure.traceback
    assert "OSError: two" in failure.traceback


def test_errors_that_cannot_speak_do_no_harm():
    class Silent(Exception):
        def __str__(self):
            raise RuntimeError("no")

        __repr__ = __str__

    failure = describe(caught(fail, Silent()))
    assert failure.message == "<no message: its __str__ raised RuntimeError>"
    assert "in fail" in failure.traceback


def test_errors_that_trip_the_formatter_keep_their_frames():
    class Notes(Exception):
        @property
        def __notes__(self):
            raise RuntimeError("no notes")

    failure = describe(caught(fail, Notes("message")))
    assert failure.message == "message"
    assert "in fail" in failure.traceback
    assert "message" in failure.traceback


def test_long_messages_fit_a_tag_and_say_that_they_are_cut():
    failure = describe(ValueError("x" * 1_000_000))
    assert len(failure.message) == MESSAGE_LENGTH
    assert failure.message.endswith("... [1000000 characters in all]")
    assert len(failure.traceback) <= TRACEBACK_LENGTH
    assert "the middle is left out" in failure.traceback


def test_endless_recursion_is_short():
    def recurse():
        recurse()

    failure = describe(caught(recurse))
    assert failure.type == "RecursionError"
    assert "Previous line repeated" in failure.traceback
    assert len(failure.traceback) < 5000


def test_a_long_chain_is_bounded():
    error = ValueError("first")
    for number in range(3000):
        later = ValueError(f"number {number} " + "x" * 100)
        later.__cause__ = error
        error = later
    failure = describe(error)
    assert len(failure.traceback) <= TRACEBACK_LENGTH
    assert failure.message.startswith("number 2999")


def test_any_text_can_be_stored():
    failure = describe(ValueError("nul \0, lone \ud800, fine ä"))
    assert failure.message == "nul \\x00, lone \\ud800, fine ä"
    for text in (failure.type, failure.message):
        check_text(text, TAG_VALUE_LENGTH, "tag")
    failure.traceback.encode()
