"""Which calls are outermost, in threads and tasks too."""

import asyncio
import contextvars
import threading
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.pool import ThreadPool

import autolog
from autolog.instrument.scope import in_worker, outermost, suppress


def watched(_=None):
    return outermost.get() and not in_worker()


def test_nesting():
    assert watched()
    with suppress():
        assert not watched()
        with autolog.disabled():
            assert not watched()
        assert not watched()
    assert watched()


def test_an_error_leaves_nothing_behind():
    try:
        with suppress():
            raise ValueError
    except ValueError:
        pass
    assert watched()


def test_workers_of_a_pool_opened_inside_belong_to_the_call():
    with suppress(), ThreadPool(2) as pool:
        assert pool.map(watched, range(4)) == [False] * 4
        with suppress():
            assert pool.map(watched, range(4)) == [False] * 4
    with ThreadPool(2) as pool:
        assert pool.map(watched, range(4)) == [True] * 4


def test_pools_within_pools():
    def inner(_):
        with ThreadPool(1) as pool:
            return pool.map(watched, range(2))

    with suppress(), ThreadPool(1) as pool:
        assert pool.map(inner, range(1)) == [[False, False]]


def test_workers_of_a_pool_opened_before_are_on_their_own():
    with ThreadPool(2) as pool:
        assert pool.map(watched, range(4)) == [True] * 4
        with suppress():
            assert pool.map(watched, range(4)) == [True] * 4


def test_threads_do_not_see_each_others_scopes():
    with suppress(), ThreadPoolExecutor(2) as pool:
        assert list(pool.map(watched, range(4))) == [True] * 4


def test_tasks_do_not_see_each_others_scopes():
    async def inside(opened, seen):
        with suppress():
            opened.set()
            await seen.wait()
            return watched()

    async def beside(opened, seen):
        await opened.wait()
        seen.set()
        return watched()

    async def both():
        events = asyncio.Event(), asyncio.Event()
        return await asyncio.gather(inside(*events), beside(*events))

    assert asyncio.run(both()) == [False, True]


def test_a_scope_may_be_left_in_another_context():
    scope = suppress()
    contextvars.copy_context().run(scope.__enter__)
    scope.__exit__()
    assert watched()


def test_a_scope_may_be_left_in_another_thread():
    scope = suppress()
    scope.__enter__()
    worker = threading.Thread(target=scope.__exit__)
    worker.start()
    worker.join()
    assert not in_worker()
    outermost.set(True)
