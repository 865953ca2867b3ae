"""The worker process: deadlines, crashes, memory, cancelling, and what it inherits."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from components.service.engine import Engine
from components.service.errors import WorkbenchError
from components.service.settings import Settings
from components.service.sizes import GB
from components.service.visitor import Visitor

HERE = Path(__file__).parent
HOME = "192.0.2.7"
CALLS = {
    name: f"worker_calls:{name}"
    for name in (
        "echo",
        "hang",
        "endless",
        "endless_generator",
        "patient",
        "second_time",
        "abort",
        "hog",
        "torch_hog",
        "defect",
        "environment",
    )
}


def build(settings: Settings) -> Engine:
    return Engine(settings, calls=CALLS, search=(HERE,))


@pytest.fixture(scope="module")
def workshop(settings: Settings) -> Iterator[Engine]:
    """A worker that knows the tests' calls; it may be killed."""
    engine = build(replace(settings, worker_bytes=8 * GB))
    yield engine
    engine.close()


@pytest.fixture
def fifo(tmp_path: Path) -> Path:
    """A pipe with a name: reading it waits until the worker has written."""
    path = tmp_path / "fifo"
    os.mkfifo(path)
    return path


def refused(call: Callable[[], object]) -> WorkbenchError:
    with pytest.raises(WorkbenchError) as caught:
        call()
    return caught.value


def test_a_call_returns_its_value_and_what_is_printed_does_no_harm(workshop: Engine) -> None:
    assert workshop.call("echo", {"value": {"text": "é☃", "n": [1, None]}}) == {"text": "é☃", "n": [1, None]}


def test_a_call_over_its_deadline_is_stopped_and_the_next_one_works(workshop: Engine) -> None:
    before = workshop.status()["restarts"]
    error = refused(lambda: workshop.call("hang", {}, seconds=0.5))
    assert (error.kind, "0.5 seconds" in error.message) == ("timeout", True)
    assert workshop.call("echo", {"value": 1}) == 1
    assert workshop.status()["restarts"] == before + 1


def test_a_call_in_flight_beside_one_over_its_deadline_is_tried_again(
    workshop: Engine, fifo: Path, tmp_path: Path
) -> None:
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(workshop.call, "second_time", {"fifo": str(fifo), "mark": str(tmp_path / "mark")})
        assert fifo.read_text() == "begun"
        assert refused(lambda: workshop.call("hang", {}, seconds=0.2)).kind == "timeout"
        assert other.result(60) == "done"


def test_a_killed_worker_is_told_as_probably_out_of_memory_and_replaced(workshop: Engine) -> None:
    stream = workshop.stream("hang", {})
    assert next(stream) == "begun"
    pid = workshop.status()["pid"]
    os.kill(pid, signal.SIGKILL)
    error = refused(lambda: next(stream))
    assert error.kind == "crashed"
    assert "most likely because it ran out of memory" in error.message
    assert workshop.call("echo", {"value": 2}) == 2
    assert workshop.status()["pid"] != pid


def test_a_crash_is_told_to_its_own_call_and_the_one_beside_it_is_tried_again(
    workshop: Engine, fifo: Path, tmp_path: Path
) -> None:
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(workshop.call, "second_time", {"fifo": str(fifo), "mark": str(tmp_path / "mark")})
        assert fifo.read_text() == "begun"
        assert refused(lambda: workshop.call("abort", {})).kind == "crashed"
        assert other.result(60) == "done"


@pytest.mark.parametrize("name", ["hog", "torch_hog"])
def test_a_call_that_wants_too_much_memory_is_refused_and_the_worker_lives(workshop: Engine, name: str) -> None:
    workshop.call("echo", {"value": 0})
    pid = workshop.status()["pid"]
    assert refused(lambda: workshop.call(name, {})).kind == "memory"
    assert workshop.status()["pid"] == pid


@pytest.mark.parametrize("name", ["endless", "endless_generator"])
def test_closing_a_stream_stops_the_work(workshop: Engine, fifo: Path, name: str) -> None:
    stream = workshop.stream(name, {"fifo": str(fifo)})
    assert next(stream) == "more"
    stream.close()  # type: ignore[attr-defined]
    assert fifo.read_text() == "stopped"


def test_nobody_who_left_is_worked_for(workshop: Engine, fifo: Path) -> None:
    following = workshop.follow("patient", {"fifo": str(fifo)})
    assert next(following) is None
    following.close()  # type: ignore[attr-defined]
    assert fifo.read_text() == "stopped"
    assert [value for value in workshop.follow("echo", {"value": 3}) if value is not None] == [3]


def test_a_stream_does_not_hold_up_other_calls(workshop: Engine, fifo: Path) -> None:
    stream = workshop.stream("endless", {"fifo": str(fifo)})
    assert next(stream) == "more"
    assert workshop.call("echo", {"value": 3}) == 3
    stream.close()  # type: ignore[attr-defined]
    assert fifo.read_text() == "stopped"


def test_an_error_of_ours_is_told_in_general_and_logged_in_full(workshop: Engine, settings: Settings) -> None:
    error = refused(lambda: workshop.call("defect", {}))
    assert error.kind == "code"
    assert "secret" not in error.message
    reference = error.message.rstrip(".").rpartition(" ")[2]
    log = (settings.home / "logs" / "worker.log").read_text()
    assert reference in log
    assert "Traceback" in log


def test_the_worker_inherits_no_token_and_asks_no_network(workshop: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    monkeypatch.setenv("OAUTH_CLIENT_SECRET", "secret")
    refused(lambda: workshop.call("hang", {}, seconds=0.1))  # the next worker starts with these set
    inherited = workshop.call("environment", {})
    assert not {"HF_TOKEN", "OAUTH_CLIENT_SECRET"} & inherited.keys()
    for name in ("HF_HUB_OFFLINE", "HF_HUB_DISABLE_IMPLICIT_TOKEN", "DISABLE_SAFETENSORS_CONVERSION"):
        assert inherited[name] == "1"


def test_a_call_that_waits_too_long_for_its_turn_is_told_so(settings: Settings) -> None:
    engine = build(replace(settings, worker_calls=1, queue_seconds=0.2))
    try:
        stream = engine.stream("hang", {})
        assert next(stream) == "begun"
        assert refused(lambda: engine.call("echo", {"value": 1}, seconds=0.1)).kind == "busy"
    finally:
        engine.close()
    assert refused(lambda: next(stream)).kind == "busy"
    assert refused(lambda: engine.call("echo", {"value": 1})).kind == "busy"
    assert engine.status()["alive"] is False


@pytest.mark.parametrize(
    ("greedy", "others", "whose"),
    [
        (Visitor("one"), [Visitor("one")] * 2, "1 calls of yours"),
        (Visitor("one", address=HOME), [Visitor("two", address=HOME), Visitor("", address=HOME)], "from your address"),
    ],
    ids=["with one cookie", "with a new cookie for each call"],
)
def test_a_visitor_s_many_long_calls_hold_up_nobody_else(
    settings: Settings, fifo: Path, greedy: Visitor, others: list[Visitor], whose: str
) -> None:
    few = {"visitor_worker_calls": 1, "address_worker_calls": 1}
    engine = build(replace(settings, worker_calls=2, queue_seconds=2.0, **few))
    long = engine.stream("endless", {"fifo": str(fifo)}, visitor=greedy)
    try:
        assert next(long) == "more"
        with ThreadPoolExecutor(2) as pool:
            waiting = [
                pool.submit(refused, lambda one=one: engine.call("echo", {"value": 0}, visitor=one)) for one in others
            ]
            assert engine.call("echo", {"value": 1}, visitor=Visitor("modest", address="2001:db8::")) == 1
            told = [one.result() for one in waiting]
        assert [(error.kind, whose in error.message) for error in told] == [("busy", True)] * 2
        long.close()
        assert fifo.read_text() == "stopped"
        assert engine.call("echo", {"value": 2}, visitor=greedy) == 2
    finally:
        engine.close()


def test_a_worker_that_cannot_start_is_told_at_once(settings: Settings) -> None:
    engine = build(replace(settings, worker_bytes=1))
    error = refused(lambda: engine.call("echo", {"value": 1}))
    assert (error.kind, "could not start" in error.message) == ("crashed", True)
    assert engine.status()["restarts"] == 0
    engine.close()


def test_a_worker_outlives_the_thread_that_asked_for_it(settings: Settings) -> None:
    engine = build(settings)
    with ThreadPoolExecutor(1) as pool:
        pid = pool.submit(engine.call, "environment", {}).result() and engine.status()["pid"]
    assert engine.call("echo", {"value": 1}) == 1
    assert engine.status()["pid"] == pid
    engine.close()


def test_the_worker_ends_with_the_web_process(settings: Settings) -> None:
    code = (
        "from pathlib import Path\n"
        "from components.service.engine import Engine\n"
        "from components.service.settings import Settings\n"
        f"home = Path({str(settings.home)!r})\n"
        "engine = Engine(Settings(home=home, cache=home))\n"
        "engine.warm()\n"
        "engine._worker.ready.wait()\n"
        "print(engine.status()['pid'], flush=True)\n"
        "input()\n"
    )
    web = subprocess.Popen(
        [sys.executable, "-c", code], cwd=HERE.parents[1], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with web:
        assert web.stdout is not None
        worker = psutil.Process(int(web.stdout.readline()))
        web.kill()
    worker.wait(20)
    assert not worker.is_running()


def test_the_web_side_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "import components.service.engine, components.service.tasks, components.service.inference\n"
        "import components.service.tokens, components.service.snippets\n"
        "heavy = {'torch', 'transformers', 'datasets', 'tokenizers', 'numpy', 'pandas'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=HERE.parents[1], check=True)
