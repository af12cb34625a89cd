"""Which run is active: in threads, tasks and forked processes."""

import asyncio
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

import autolog

pytestmark = pytest.mark.usefixtures("tracking")


def in_thread(work):
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result()


def test_each_thread_has_its_own_run():
    at_once = threading.Barrier(8)

    def work(number):
        with autolog.start_run(run_name=f"thread {number}") as run:
            at_once.wait()
            for step in range(50):
                autolog.log_metric("m", number, step=step)
            autolog.log_param("number", number)
            assert autolog.active_run() == run
        assert autolog.active_run() is None
        return run.info.run_id

    with ThreadPoolExecutor(8) as pool:
        run_ids = list(pool.map(work, range(8)))
    client = autolog.MlflowClient()
    for number, run_id in enumerate(run_ids):
        assert autolog.get_run(run_id).data.params == {"number": str(number)}
        history = client.get_metric_history(run_id, "m")
        assert sorted((point.step, point.value) for point in history) == [
            (step, number) for step in range(50)
        ]


def test_thread_started_inside_a_run_has_none():
    with autolog.start_run() as run:
        assert in_thread(autolog.active_run) is None

        def log():
            autolog.log_metric("m", 1)
            other = autolog.active_run()
            autolog.end_run()
            return other

        other = in_thread(log)
    assert other.info.run_id != run.info.run_id
    assert other.data.metrics == {"m": 1.0}
    assert run.data.metrics == {}


def test_thread_logs_to_a_run_by_its_id():
    with autolog.start_run() as run:
        in_thread(lambda: autolog.log_metric("m", 3, run_id=run.info.run_id))
        assert in_thread(autolog.active_run) is None
    assert run.data.metrics == {"m": 3.0}


def test_many_threads_log_to_one_run():
    with autolog.start_run() as run:

        def work(number):
            for step in range(200):
                autolog.log_metric(f"m{number}", step, step=step, run_id=run.info.run_id)

        with ThreadPoolExecutor(6) as pool:
            list(pool.map(work, range(6)))
    summaries = run.data.summaries
    assert {key: summary.points for key, summary in summaries.items()} == {
        f"m{number}": 200 for number in range(6)
    }


def test_block_left_in_another_thread_ends_the_run():
    run = autolog.start_run()
    in_thread(lambda: run.__exit__(None, None, None))
    assert run.info.status == "FINISHED"
    autolog.end_run()


def test_tasks_do_not_see_each_others_runs():
    async def work(number, started):
        with autolog.start_run(run_name=f"task {number}") as run:
            started.append(number)
            while len(started) < 5:
                await asyncio.sleep(0)
            autolog.log_metric("m", number)
            assert autolog.active_run() == run
        return run

    async def main():
        started = []
        return await asyncio.gather(*(work(number, started) for number in range(5)))

    runs = asyncio.run(main())
    assert autolog.active_run() is None
    assert [run.data.metrics["m"] for run in runs] == [0, 1, 2, 3, 4]


def test_tasks_inside_a_run_log_to_it_and_start_children_apart():
    async def child():
        with autolog.start_run(nested=True) as run:
            await asyncio.sleep(0)
        return run

    async def main():
        with autolog.start_run() as parent:
            children = await asyncio.gather(child(), child())
            await asyncio.to_thread(autolog.log_metric, "m", 1)
            assert autolog.active_run() == parent
        return parent, children

    parent, children = asyncio.run(main())
    assert parent.data.metrics == {"m": 1.0}
    for run in children:
        assert run.data.tags["mlflow.parentRunId"] == parent.info.run_id


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_forked_process_logs_to_the_run_and_leaves_it_open():
    with autolog.start_run() as run:
        autolog.log_metric("parent", 1)
        pid = os.fork()
        if pid == 0:
            try:
                autolog.log_metric("child", 2)
                autolog.flush_async_logging()
            finally:
                os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
        autolog.log_metric("parent", 3, step=1)
        assert run.info.status == autolog.get_run(run.info.run_id).info.status == "RUNNING"
    assert run.data.metrics == {"parent": 3.0, "child": 2.0}
