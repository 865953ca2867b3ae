"""Bad input through the API: each gives a sentence that says what to do, and the app goes on."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

TEXT = "text-classification"
RUN = {"task": TEXT, "model": "starter/encoder", "epochs": 1}
LONG = "word " * 200_000

CASES = [
    ("unknown model", "/run_task", (TEXT, "nobody/nothing", "hi"), "has no nobody/nothing"),
    ("a path as a model", "/run_task", (TEXT, "/etc/passwd", "hi"), "not a model id"),
    ("a model of another task", "/run_task", (TEXT, "starter/stories", "hi"), "classification head"),
    ("an encoder without a head", "/run_task", (TEXT, "starter/encoder", "hi"), "classification head"),
    ("an encoder that writes", "/run_task", ("text-generation", "starter/sentiment", "hi"), "language modelling head"),
    ("unknown task", "/run_task", ("mind-reading", "starter/sentiment", "hi"), "no task"),
    ("empty text", "/run_task", (TEXT, "starter/sentiment", "  "), "no text yet"),
    ("a text of 1 MB", "/run_task", (TEXT, "starter/sentiment", LONG), "1,000,000"),
    ("unknown parameter", "/run_task", (TEXT, "starter/sentiment", "hi", {"topk": 1}), "topk"),
    ("parameter out of range", "/run_task", (TEXT, "starter/sentiment", "hi", {"top_k": -1}), "top_k"),
    ("unknown revision", "/run_task", (TEXT, "starter/sentiment", "hi", None, "nope"), "no such revision"),
    ("ids beyond the vocabulary", "/decode", ("starter/sentiment", [10**9]), "vocabulary"),
    ("a data set that is not there", "/inspect_data", ({"dataset": "nobody/nothing"},), "has no nobody/nothing"),
    ("no data at all", "/inspect_data", ({},), "exactly one"),
    ("a server's file as data", "/inspect_data", ({"file": "/etc/passwd"},), "uploaded"),
    ("a server's files as images", "/inspect_data", ({"files": ["/etc/passwd"], "names": ["a.png"]},), "uploaded"),
    ("a server's file among files", "/inspect_data", ({"files": [{"path": "app.py"}]},), "uploaded"),
    ("a run without data", "/start_run", (RUN,), "data"),
    ("a run with a setting that is not one", "/start_run", ({**RUN, "data": {"text": "a,b"}, "epocs": 2},), "epocs"),
    ("a run of a million epochs", "/start_run", ({**RUN, "data": {"text": "a,b"}, "epochs": 10**6},), "epochs"),
    ("a run that is not there", "/run_state", ("AAAAAAAAAAAAAAAA",), "no such run"),
    ("a run named by a path", "/run_state", ("../../etc",), "no such run"),
    ("a card of nothing", "/draft_card", ("nobody/nothing",), "has no nobody/nothing"),
    ("publishing a run that is not there", "/publish_run", ("AAAAAAAAAAAAAAAA", "x"), "no such run"),
    ("a repository of somebody else", "/create_repo", ("starter/mine",), "may not write to starter"),
    ("unknown snippet", "/snippet", ("nonsense", {}), "nonsense"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("endpoint", "arguments", "said"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_bad_input_gives_a_sentence(client: Client, endpoint: str, arguments: tuple[Any, ...], said: str) -> None:
    with pytest.raises(AppError) as refusal:
        client.predict(*arguments, api_name=endpoint)
    sentence = str(refusal.value)
    assert said.lower() in sentence.lower()
    assert sentence.rstrip().endswith((".", ")", "?"))
    assert "Traceback" not in sentence
    assert "/tmp" not in sentence


def test_a_csv_without_the_chosen_column_says_which_columns_it_has(client: Client, tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_text("comment,verdict\n" + "".join(f"text number {i},{'good' if i % 2 else 'bad'}\n" for i in range(20)))
    spec = {**RUN, "data": {"file": handle_file(str(file))}, "columns": {"text": "text", "label": "verdict"}}
    with pytest.raises(AppError, match=r"comment.*verdict"):
        client.predict(spec, api_name="/start_run")


def test_a_csv_with_one_class_only_is_refused_before_the_start(client: Client, tmp_path: Path) -> None:
    file = tmp_path / "one.csv"
    file.write_text("text,label\n" + "".join(f"text number {i},good\n" for i in range(20)))
    source = {"file": handle_file(str(file))}
    problems = client.predict(source, api_name="/inspect_data")["problems"]
    assert any(problem["level"] == "error" and "one" in problem["message"].lower() for problem in problems)
    with pytest.raises(AppError, match=r"(?i)one (class|label)"):
        client.predict({**RUN, "data": source, "columns": {"text": "text", "label": "label"}}, api_name="/start_run")


def test_images_that_are_uploaded_together_are_labelled_by_their_names(client: Client) -> None:
    samples = Path(__file__).parents[2] / "components/service/samples"
    files = sorted(file for file in samples.iterdir() if file.suffix == ".png")[:2]
    source = {"files": [handle_file(str(file)) for file in files]}
    seen = client.predict(source, {}, "image-classification", api_name="/inspect_data")
    assert seen["splits"] == {"train": 2}
    assert seen["suggested"]["image"] == "image"


def test_a_worker_killed_in_the_middle_of_a_call_is_replaced(client: Client, app: Any) -> None:
    client.predict(TEXT, "starter/sentiment", "hi", api_name="/run_task")
    outcomes: list[Any] = []

    def generate() -> None:
        try:
            outcomes.append(
                client.predict(
                    "text-generation", "starter/stories", "Once", {"max_new_tokens": 400, "min_new_tokens": 400},
                    api_name="/run_task",
                )
            )  # fmt: skip
        except AppError as error:
            outcomes.append(str(error))

    thread = threading.Thread(target=generate)
    thread.start()
    for pid in _workers(app):
        os.kill(pid, signal.SIGKILL)
    thread.join(120)
    assert outcomes, "the call came back"
    if isinstance(outcomes[0], str):
        assert outcomes[0].rstrip().endswith(".")
    again = client.predict(TEXT, "starter/sentiment", "I love it", api_name="/run_task")
    assert again["output"][0]["label"] == "positive"


@pytest.mark.long
def test_a_trainer_killed_in_the_middle_can_be_resumed(
    client: Client, wait_for_run: Callable[..., dict[str, Any]]
) -> None:
    rows = "text,label\n" + "".join(f"{'lovely' if i % 2 else 'awful'} thing {i},{i % 2}\n" for i in range(400))
    spec = {**RUN, "epochs": 3, "data": {"text": rows}, "columns": {"text": "text", "label": "label"}, "batch_size": 8}
    run = client.predict(spec, api_name="/start_run")["id"]
    state = wait_for_run(client, run, "running", "finished")
    while not state["eval"] and state["status"] == "running":
        state = client.predict(run, api_name="/run_state")
    os.kill(_trainer(run), signal.SIGKILL)
    state = wait_for_run(client, run, "interrupted", "finished")
    assert state["status"] == "interrupted"
    assert state["resumable"]
    client.predict(run, api_name="/resume_run")
    state = wait_for_run(client, run, "finished")
    assert state["progress"]["fraction"] == 1.0


def _workers(app: Any) -> list[int]:
    return _processes(lambda line: "components.service.worker" in line, parent=app.process.pid)


def _trainer(run: str) -> int:
    return _processes(lambda line: "components.service.runs" in line and run in line)[0]


def _processes(wanted: Callable[[str], bool], parent: int | None = None) -> list[int]:
    import psutil

    everyone = psutil.Process(parent).children(recursive=True) if parent else psutil.process_iter()
    found = []
    for process in everyone:
        with contextlib.suppress(psutil.NoSuchProcess):  # it ended just now; a zombie has no command line
            found += [process.pid] if wanted(" ".join(process.cmdline())) else []
    return found


def test_plain_http_with_too_few_values_is_told_all_of_them(app: Any) -> None:
    place = f"{app.url}/gradio_api/call/run_task"
    event = httpx.post(place, json={"data": [TEXT, "starter/sentiment", "hi"]}).json()["event_id"]
    told = httpx.get(f"{place}/{event}", timeout=60).text
    assert "event: error" in told
    assert "5 values (task, model, inputs, parameters, revision), and 3 came" in told
