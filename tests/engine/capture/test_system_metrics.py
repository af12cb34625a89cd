"""Samples of the load: real psutil, real threads, real forks."""

import logging
import os
import subprocess
import sys
import threading
import time
from types import ModuleType, SimpleNamespace

import psutil
import pytest

from autolog_core.capture import load
from autolog_core.capture.load import Counters, GaugeReader, differences, read_counters
from autolog_core.capture.nvidia import GpuReader, read_gpus
from autolog_core.capture.system_metrics import SystemMetricsSampler
from autolog_core.errors import InvalidArgument
from autolog_core.limits import check_key

KEYS = {
    "system/cpu_utilization_percentage",
    "system/system_memory_usage_megabytes",
    "system/system_memory_usage_percentage",
    "system/disk_usage_percentage",
    "system/disk_usage_megabytes",
    "system/disk_available_megabytes",
    "system/network_receive_megabytes",
    "system/network_transmit_megabytes",
}
PATIENCE = 30


class Sink:
    """Keeps what it is given, and says when it has enough."""

    def __init__(self, enough=1):
        self.points = []
        self.enough = enough
        self.filled = threading.Event()

    def __call__(self, values, step, timestamp):
        self.points.append((values, step, timestamp))
        if len(self.points) >= self.enough:
            self.filled.set()

    def wait(self):
        assert self.filled.wait(PATIENCE)


@pytest.fixture
def make():
    made = []

    def sampler(*arguments):
        made.append(SystemMetricsSampler(*arguments))
        return made[-1]

    yield sampler
    for each in made:
        each.stop()


def test_a_watched_run_gets_points_until_it_is_let_go(make):
    sampler, sink = make(0.02), Sink(3)
    before = time.time_ns() // 1_000_000
    sampler.watch("run", sink)
    sink.wait()
    sampler.unwatch("run")
    count = len(sink.points)
    other = Sink(2)
    sampler.watch("other", other)
    other.wait()
    assert len(sink.points) == count
    assert [step for _, step, _ in sink.points] == list(range(count))
    stamps = [timestamp for _, _, timestamp in sink.points]
    assert stamps == sorted(stamps)
    assert stamps[0] >= before
    for values, _, _ in sink.points:
        assert set(values) <= KEYS
        for key in values:
            check_key(key, "metric")
    assert set().union(*(values for values, _, _ in sink.points)) == KEYS


def test_values_are_those_of_the_machine(make):
    sampler, sink = make(0.2), Sink()
    sampler.watch("run", sink)
    sink.wait()
    values = sink.points[0][0]
    memory, disk = psutil.virtual_memory(), psutil.disk_usage("/")
    assert 0 <= values["system/cpu_utilization_percentage"] <= 100
    assert values["system/system_memory_usage_megabytes"] == pytest.approx(
        memory.used / 1e6, rel=0.5
    )
    assert 0 < values["system/system_memory_usage_percentage"] < 100
    assert values["system/disk_available_megabytes"] == pytest.approx(disk.free / 1e6, rel=0.1)
    assert values["system/network_receive_megabytes"] >= 0


def test_names_hold_the_node(make):
    sampler, sink = make(0.02, 1, "node_0"), Sink()
    sampler.watch("run", sink)
    sink.wait()
    assert "system/node_0/disk_usage_percentage" in sink.points[0][0]


def test_resumed_runs_go_on_with_their_steps(make):
    sampler, sink = make(0.02), Sink(2)
    sampler.watch("run", sink, step=7)
    sink.wait()
    assert [step for _, step, _ in sink.points[:2]] == [7, 8]


def test_watching_twice_goes_on_as_it_was(make):
    sampler, first, second = make(0.02), Sink(), Sink()
    sampler.watch("run", first)
    sampler.watch("run", second)
    first.wait()
    sampler.unwatch("run")
    sampler.unwatch("run")
    sampler.unwatch("never watched")
    assert second.points == []


def test_a_run_that_is_over_before_its_first_sample_costs_nothing():
    program = """if True:
        import sys, threading
        from autolog_core.capture.system_metrics import SystemMetricsSampler
        sampler = SystemMetricsSampler(3600.0)
        for number in range(1000):
            sampler.watch(str(number), print)
            sampler.unwatch(str(number))
        assert "psutil" not in sys.modules and "pynvml" not in sys.modules
    """
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout == done.stderr == b""


def test_the_process_does_not_wait_for_the_sampler():
    program = """if True:
        from autolog_core.capture.system_metrics import SystemMetricsSampler
        SystemMetricsSampler(3600.0).watch("run", print)
    """
    subprocess.run([sys.executable, "-c", program], check=True, timeout=PATIENCE)


def test_watching_while_the_process_ends_does_no_harm():
    program = """if True:
        import atexit
        from autolog_core.capture.system_metrics import SystemMetricsSampler
        sampler = SystemMetricsSampler(0.01)
        atexit.register(sampler.unwatch, "run")
        atexit.register(sampler.watch, "run", lambda *point: None)
    """
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stderr == b""


def test_points_are_means_and_the_last_window_is_kept(make, monkeypatch):
    readings = iter(range(1000))
    taken = threading.Semaphore(0)

    def read(self):
        taken.release()
        return {"system_memory_usage_percentage": float(next(readings))}

    monkeypatch.setattr(GaugeReader, "read", read)
    sampler, sink = make(0.01, 1_000_000), Sink()
    sampler.watch("run", sink)
    for _ in range(4):
        assert taken.acquire(timeout=PATIENCE)
    assert sink.points == []
    sampler.unwatch("run")
    values, step, _ = sink.points[0]
    count = round(values["system/system_memory_usage_percentage"] * 2) + 1
    assert count >= 3
    assert step == 0
    assert len(sink.points) == 1

    sink = Sink(2)
    sampler.configure(0.01, 3)
    sampler.watch("next", sink)
    sink.wait()
    first, second = (
        values["system/system_memory_usage_percentage"] for values, _, _ in sink.points[:2]
    )
    assert second - first == 3


def test_a_sink_that_fails_does_not_stop_the_others(make, caplog):
    def fail(*point):
        raise RuntimeError("the run is gone")

    sampler, sink = make(0.02), Sink(3)
    with caplog.at_level(logging.WARNING, "autolog"):
        sampler.watch("bad", fail)
        sampler.watch("good", sink)
        sink.wait()
        sampler.unwatch("bad")
    assert "could not be logged" in caplog.text
    assert caplog.text.count("could not be logged") == 1


def test_a_machine_that_tells_nothing_ends_the_sampling_once(make, monkeypatch, caplog):
    tried = threading.Event()

    def broken():
        tried.set()
        raise RuntimeError("no counters")

    monkeypatch.setattr(load, "read_counters", broken)
    sampler, sink = make(0.01), Sink()
    with caplog.at_level(logging.WARNING, "autolog"):
        sampler.watch("run", sink)
        assert tried.wait(PATIENCE)
        sampler.stop()
    assert caplog.text.count("are switched off") == 1
    assert sink.points == []


def test_a_stopped_sampler_can_start_afresh(make):
    sampler, sink = make(0.02), Sink()
    sampler.watch("run", sink)
    sink.wait()
    sampler.stop()
    sampler.stop()
    sink = Sink()
    sampler.watch("run", sink)
    sink.wait()


def test_a_forked_child_starts_without_watched_runs(make, tmp_path):
    sampler, sink = make(0.02), Sink(2)
    sampler.watch("run", sink)
    sink.wait()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            count = len(sink.points)
            own = Sink(2)
            sampler.unwatch("run")
            sampler.watch("own", own)
            own.wait()
            sampler.stop()
            code = 0 if len(sink.points) == count else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    sink.enough = len(sink.points) + 1
    sink.filled.clear()
    sink.wait()


@pytest.mark.parametrize(
    "arguments", [(0,), (-1.0,), (float("nan"),), (float("inf"),), (1.0, 0), (1.0, -3)]
)
def test_bad_settings_are_refused(arguments):
    with pytest.raises(InvalidArgument, match=r"interval|samples"):
        SystemMetricsSampler(*arguments)


def test_loads_and_traffic_are_differences():
    first, last = Counters(0, 0, 1_000_000, None), Counters(10, 100, 2_000_000, 5)
    now = Counters(20, 140, 3_500_000, 9)
    assert differences(now, last, first) == {
        "cpu_utilization_percentage": 25.0,
        "network_receive_megabytes": 2.5,
    }
    assert "cpu_utilization_percentage" not in differences(now, now, first)


def test_busy_time_is_what_psutil_says():
    counters = read_counters()
    times = psutil.cpu_times()
    assert counters.total == pytest.approx(sum(times) - times.guest - times.guest_nice, rel=0.01)
    assert counters.busy <= counters.total


class Nvml(ModuleType):
    """NVIDIA's library as nvidia-ml-py shows it: two GPUs, of which one does not tell its power."""

    class NVMLError(Exception):
        pass

    def __init__(self, driver=True):
        super().__init__("pynvml")
        self.driver = driver

    def nvmlInit(self):  # noqa: N802
        if not self.driver:
            raise self.NVMLError("no driver")

    def nvmlSystemGetDriverVersion(self):  # noqa: N802
        return b"550.1"

    def nvmlDeviceGetCount(self):  # noqa: N802
        return 2

    def nvmlDeviceGetHandleByIndex(self, index):  # noqa: N802
        return index

    def nvmlDeviceGetName(self, handle):  # noqa: N802
        return "NVIDIA H200"

    def nvmlDeviceGetMemoryInfo(self, handle):  # noqa: N802
        return SimpleNamespace(total=4_000_000_000, used=1_000_000_000)

    def nvmlDeviceGetUtilizationRates(self, handle):  # noqa: N802
        return SimpleNamespace(gpu=40 + handle, memory=0)

    def nvmlDeviceGetPowerUsage(self, handle):  # noqa: N802
        if handle:
            raise self.NVMLError("not supported")
        return 350_000

    def nvmlDeviceGetEnforcedPowerLimit(self, handle):  # noqa: N802
        return 700_000


def test_gpus_are_read_where_the_library_is(monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", Nvml())
    assert GpuReader().read() == {
        "gpu_0_memory_usage_percentage": 25.0,
        "gpu_0_memory_usage_megabytes": 1000.0,
        "gpu_0_utilization_percentage": 40.0,
        "gpu_0_power_usage_watts": 350.0,
        "gpu_0_power_usage_percentage": 50.0,
        "gpu_1_memory_usage_percentage": 25.0,
        "gpu_1_memory_usage_megabytes": 1000.0,
        "gpu_1_utilization_percentage": 41.0,
    }
    names = [(gpu.index, gpu.name, gpu.memory, gpu.driver) for gpu in read_gpus()]
    assert names == [
        (0, "NVIDIA H200", 4_000_000_000, "550.1"),
        (1, "NVIDIA H200", 4_000_000_000, "550.1"),
    ]


def test_without_library_or_driver_there_are_no_gpus_and_no_noise(monkeypatch, caplog):
    for library in (None, Nvml(driver=False)):
        monkeypatch.setitem(sys.modules, "pynvml", library)
        assert GpuReader().read() == {}
        assert read_gpus() == ()
    assert caplog.text == ""
