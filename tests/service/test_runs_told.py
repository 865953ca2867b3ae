"""What is told of runs: what stopping leaves, which weights are kept, comparisons, logs, failures, samples."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from run_parts import LONG, ME, OTHER, close_runs, ended, is_as_absent, open_runs, rows, spec, wait

from components.service.engine import Engine
from components.service.errors import WorkbenchError
from components.service.runs import Runs
from components.service.runs.comparison import compare
from components.service.runs.log import clean
from components.service.runs.outcomes import OUTCOMES, weights_kept
from components.service.runs.samples import check_samples
from components.service.runs.state import mending, read_state
from components.service.runs.store import STOPS, RunFolder, write_json
from components.service.settings import Settings

# What becomes of a run that is stopped


def test_every_way_to_stop_says_what_is_on_disk_afterwards() -> None:
    assert tuple(OUTCOMES) == ("epoch", "best", "stop", "discard")
    assert set(OUTCOMES) == set(STOPS)
    for how, outcome in OUTCOMES.items():
        assert outcome.effect.endswith("It cannot be resumed." if how == "discard" else "can be resumed.")
        assert "model" in outcome.effect
        assert "checkpoint" in outcome.effect


KEPT: list[tuple[str, int | None, list[tuple[float, float]], str]] = [
    ("f1", None, [(0.5, 0.7)], "The weights of the last step, 30, are kept."),
    ("f1", 10, [(0.5, 0.7)], "The weights of step 10 are kept: of 1 evaluation it has the highest F1 (macro), 0.5000."),
    ("loss", 20, [(0.5, 0.7), (0.5, 0.6)], "of 2 evaluations it has the lowest loss, 0.6000."),
    ("f1", 10, [(0.5, 0.7), (0.5, 0.8)], "0.5000. 1 later one has the same; of equals the first is kept."),
    ("f1", 10, [(0.5, 2e-5), (0.5, 1e-5)], "1 later one has the same; of equals the first is kept."),
    (
        "f1",
        10,
        [(0.5, 0.7), (0.5, 0.6), (0.5, 0.4)],
        "2 later ones have the same; of equals the first is kept. The loss went on falling, from 0.7000 to 0.4000 at "
        "step 30: to keep such weights, choose the best by loss.",
    ),
    ("chrf", 10, [(0.5, 0.7)], "The weights of step 10 are kept, the best of 30 steps."),
]


@pytest.mark.parametrize(("metric", "best", "figures", "said"), KEPT)
def test_it_is_said_which_weights_are_kept_and_which_others_were_as_good(
    metric: str, best: int | None, figures: list[tuple[float, float]], said: str
) -> None:
    evaluations = [{"step": 0, "f1": 0.5, "loss": 0.1}]
    evaluations += [{"step": 10 * i, "f1": f1, "loss": loss} for i, (f1, loss) in enumerate(figures, 1)]
    assert weights_kept(evaluations, metric, best, 30, "text-classification").endswith(said)


@pytest.fixture(scope="module")
def trained(
    tmp_path_factory: pytest.TempPathFactory, models_folder: Path, engine: Engine, tiny_classifier: Path
) -> Iterator[tuple[Runs, dict[str, Any]]]:
    """Runs that train, with a finished one."""
    home = tmp_path_factory.mktemp("trained")
    runs = open_runs(Settings(home=home, cache=home, free_disk_bytes=0, running_runs=2), models_folder, engine)
    started = runs.start(spec(name="First"), visitor=ME)
    yield runs, ended(runs, started["id"])
    close_runs(runs)


@pytest.mark.long
def test_a_stopped_run_is_told_by_its_outcome_and_a_discarded_one_is_gone_at_once(
    trained: tuple[Runs, dict[str, Any]],
) -> None:
    runs, _ = trained
    best = runs.start(spec(**{**LONG, "keep": "best", "epochs": 40}), visitor=ME)["id"]
    thrown = runs.start(spec(**{**LONG, "epochs": 100}), visitor=ME)["id"]
    wait(runs, best, lambda state: len(state["eval"]) > 2)
    runs.stop(best, "best", visitor=ME)
    wait(runs, thrown, lambda state: state["on_disk"] is None and len(state["eval"]) > 2)
    assert runs.stop(thrown, "discard", visitor=ME)["message"] == OUTCOMES["discard"].stopping
    state = wait(runs, best, lambda state: state["outcome"] is not None)
    assert (state["status"], state["outcome"]["how"], state["resumable"]) == ("stopped", "best", True)
    assert state["model"]
    assert state["on_disk"]["model"]
    assert state["on_disk"]["checkpoints"]
    assert state["on_disk"]["bytes"] == RunFolder(runs.root / best).bytes() > 10_000
    ended(runs, thrown, "stopped")
    runs.supervisor.look()
    gone = runs.state(thrown, visitor=ME)
    assert (gone["status"], gone["model"], gone["resumable"]) == ("stopped", None, False)
    assert gone["on_disk"]["checkpoints"] == []
    assert gone["train"], "the curves stay"


@pytest.mark.long
def test_a_run_is_repeated_with_its_own_data_and_compared_with_the_first(trained: tuple[Runs, dict[str, Any]]) -> None:
    runs, first = trained
    again = ended(runs, runs.rerun(first["id"], {"seed": 7, "name": "Second"}, visitor=ME)["id"])
    assert again["spec"] == {**first["spec"], "seed": 7, "name": "Second"}
    assert (runs.root / again["id"] / "data" / "rows.csv").read_text() == rows()
    told = runs.compare([first["id"], again["id"]], visitor=ME)
    assert [one["name"] for one in told["runs"]] == ["First", "Second"]
    assert told["differs"] == [{"setting": "seed", "values": [42, 7]}]
    assert [len(curve["train"]) for curve in told["curves"]] == [12, 12]
    metric = told["runs"][0]["metric"]
    for one, state in zip(told["runs"], (first, again), strict=True):
        assert one["value"] == state["results"]["final"][metric]
        assert one["low"] <= one["value"] <= one["high"]
    assert told["curves"][1]["eval"] == [[entry["step"], entry[metric]] for entry in again["eval"]]


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"epochs": 0}, "epochs"), ({"learning_rat": 1}, "learning_rat"), ([1], "changes"), ({"token": "hf_x"}, "token")],
)
def test_changes_of_a_run_are_checked_like_a_new_one(
    trained: tuple[Runs, dict[str, Any]], changes: Any, field: str
) -> None:
    runs, state = trained
    with pytest.raises(WorkbenchError) as told:
        runs.rerun(state["id"], changes, visitor=ME)
    assert told.value.field == field


def test_a_stranger_learns_nothing_of_a_run_by_any_of_its_doors(trained: tuple[Runs, dict[str, Any]]) -> None:
    runs, state = trained
    asks: list[Callable[[str], Any]] = [
        lambda run: runs.move(run, 1, visitor=OTHER),
        lambda run: runs.rerun(run, {}, visitor=OTHER),
        lambda run: runs.log(run, visitor=OTHER),
        lambda run: runs.compare([run, run], visitor=OTHER),
        lambda run: runs.start(spec(model=f"runs/{run}"), visitor=OTHER),
        lambda run: runs.rehearse(spec(model=f"runs/{run}"), visitor=OTHER),
    ]
    for ask in asks:
        assert is_as_absent(ask, state["id"])


@pytest.mark.parametrize("ids", [None, "x", [], ["one"], ["one", "one"], [3], ["one"] * 9])
def test_two_to_eight_runs_are_compared(trained: tuple[Runs, dict[str, Any]], ids: Any) -> None:
    runs, state = trained
    asked = [state["id"] if one == "one" else one for one in ids] if isinstance(ids, list) else ids
    with pytest.raises(WorkbenchError) as told:
        runs.compare(asked, visitor=ME)
    assert told.value.field in ("run_ids", "run_id")


# What a difference is worth


def state_of(name: str, value: float | None, half: float | None = 0.05, **more: Any) -> dict[str, Any]:
    final = {} if value is None else {"accuracy": value, "loss": 1 - value}
    if value is not None and half is not None:
        final |= {"accuracy_low": value - half, "accuracy_high": value + half}
    return {
        "id": name,
        "name": name,
        "status": "finished",
        "spec": {"task": "text-classification", "epochs": 1, **more.get("spec", {})},
        "facts": {
            "metric": "accuracy",
            "rows": {"validation": 200},
            "data_fingerprint": more.get("rows", "same"),
            **({"evaluation_fingerprint": more["evaluated"]} if "evaluated" in more else {}),
        },
        "results": {"final": final},
        "train": [{"step": 1, "loss": 0.7}],
        "eval": [{"step": 1, "accuracy": 0.5, "loss": 0.6}],
    }


EPOCHS = {"spec": {"epochs": 2}}
VERDICTS = [
    ("a gap inside both bands", state_of("a", 0.90), state_of("b", 0.88, **EPOCHS), True, "a has .* within noise"),
    ("a gap that both bands leave", state_of("a", 0.70), state_of("b", 0.90, **EPOCHS), False, "b has .* more than"),
    ("bands that overlap, but not by chance", state_of("a", 0.8), state_of("b", 0.88, **EPOCHS), False, "more than"),
    ("equal figures", state_of("a", 0.9), state_of("b", 0.9), True, "the same accuracy"),
    ("another seed alone", state_of("a", 0.7), state_of("b", 0.9, spec={"seed": 2}), True, "seed alone"),
    ("other rows", state_of("a", 0.7), state_of("b", 0.9, rows="other"), None, "different rows"),
    ("equal, of other rows", state_of("a", 0.9), state_of("b", 0.9, rows="other"), None, "the same .* different rows"),
    (
        "other rows to train on alone",
        state_of("a", 0.7, evaluated="same", rows="some", **EPOCHS),
        state_of("b", 0.9, evaluated="same", rows="others"),
        False,
        "more than",
    ),
    ("an older run", state_of("a", 0.7, evaluated="same"), state_of("b", 0.9, **EPOCHS), False, "more than"),
    ("another task", state_of("a", 0.7), state_of("b", 0.9, spec={"task": "fill-mask"}), None, "different tasks"),
    ("one that has no figures", state_of("a", 0.7), state_of("b", None), None, "Not every run"),
    ("no interval", state_of("a", 0.7, None), state_of("b", 0.9, None, **EPOCHS), None, "no interval"),
]


@pytest.mark.parametrize(("one", "other", "noise", "said"), [row[1:] for row in VERDICTS], ids=[r[0] for r in VERDICTS])
def test_a_difference_is_called_real_or_noise(
    one: dict[str, Any], other: dict[str, Any], noise: bool | None, said: str
) -> None:
    told = compare([one, other])
    assert told["within_noise"] is noise
    assert re.search(said, told["verdict"]), told["verdict"]


def test_of_losses_the_lower_is_the_better() -> None:
    states = [state_of("a", 0.7, None), state_of("b", 0.9, None)]
    for state in states:
        state["facts"]["metric"] = "loss"
    assert compare(states)["verdict"].startswith("b has the best loss, 0.100")


# The log


def test_a_log_is_read_from_its_end_in_whole_lines_without_paths_or_tokens(
    trained: tuple[Runs, dict[str, Any]],
) -> None:
    runs, state = trained
    log = RunFolder(runs.root / state["id"]).log
    lines = [f"line {number} of {runs.root}/x.py with hf_{'a' * 30}" for number in range(1000)]
    log.write_text("\n".join(lines) + "\n", encoding="utf-8")
    told = runs.log(state["id"], 200, visitor=ME)
    assert told["bytes"] == log.stat().st_size
    assert told["text"].splitlines()[-1] == "line 999 of x.py with [token]"
    assert all(one.startswith("line ") for one in told["text"].splitlines())
    assert str(runs.root) not in runs.log(state["id"], 1_000_000, visitor=ME)["text"]
    for tail in (0, -1, 10**9, True, "1", None, 1.5):
        with pytest.raises(WorkbenchError) as refused:
            runs.log(state["id"], tail, visitor=ME)  # type: ignore[arg-type]
        assert refused.value.field == "tail"
    log.unlink()
    assert runs.log(state["id"], visitor=ME) == {"text": "", "bytes": 0}


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ('File "/usr/lib/python3/site-packages/torch/nn.py", line 3', 'File "nn.py", line 3'),
        ("see https://huggingface.co/a/b", "see https://huggingface.co/a/b"),
        ("Authorization: Bearer abc.def-123 end", "Authorization: Bearer [token] end"),
        ("token=hf_abcDEF123", "token=[token]"),
        ("C:\\Users\\me\\run\\spec.json", "spec.json"),
        ("3/4 of 10/20", "3/4 of 10/20"),
        ("file:///home/me/data.csv", "data.csv"),
        ("\x1b[1;31mError\x1b[0m in \x1b[4m/home/me/x.py\x1b[K", "Error in x.py"),
        ("\x1b]0;a title\x07one \x1b]8;;https://there.example\x1b\\link\x1b]8;;\x1b\\ \x1bMup", "one link up"),
        ("token=hf_abc\x1b[31mDEF123\x1b", "token=[token]"),
    ],
)
def test_a_line_of_a_log_names_files_and_no_folders(written: str, read: str) -> None:
    assert clean(written) == read


@given(st.text(alphabet="/\\.:aX ~", max_size=300))
def test_no_folder_of_an_absolute_path_is_left(text: str) -> None:
    assert "/srv/secret/" not in clean(f"{text} /srv/secret/name.txt")


# Failures and what may mend them


@pytest.mark.parametrize(
    ("kind", "settings", "changes"),
    [
        ("memory", {"batch_size": 16, "accumulation": 2}, {"batch_size": 8, "accumulation": 4}),
        ("memory", {"batch_size": 1, "method": "full"}, {"method": "lora"}),
        ("memory", {"batch_size": 1, "method": "lora"}, {}),
        ("diverged", {"learning_rate": 3e-3}, {"learning_rate": 1e-3}),
        ("disk", {"batch_size": 16}, {}),
        ("code", {}, {}),
    ],
)
def test_a_failure_names_settings_that_may_mend_it(
    tmp_path: Path, kind: str, settings: dict[str, Any], changes: dict[str, Any]
) -> None:
    assert mending(kind, settings) == changes
    folder = RunFolder(tmp_path)
    write_json(folder.spec, settings)
    folder.append("status", status="failed", message="", failure={"kind": kind, "message": "", "next": ""})
    assert read_state(folder)["failure"]["changes"] == changes


# Samples of every form


SAMPLES = [
    ("text-classification", "fine", True),
    ("text-classification", {"text": "a", "text_pair": "b"}, True),
    ("text-classification", {"text": "a"}, True),
    ("text-classification", {"text_pair": "b"}, False),
    ("text-classification", {"text": "a", "url": "http://x"}, False),
    ("text-generation", "once", True),
    ("text-generation", {"text": "once"}, True),
    ("question-answering", {"question": "who", "context": "me"}, True),
    ("question-answering", {"question": "who"}, False),
    ("question-answering", "who", False),
    ("image-classification", {"image": "aGVsbG8="}, True),
    ("image-classification", "http://127.0.0.1/x.png", False),
    ("image-classification", {"image": ["x"]}, False),
    ("summarization", 3, False),
    ("summarization", {}, False),
    ("summarization", "x" * 100_001, False),
]


@pytest.mark.parametrize(("task", "sample", "right"), SAMPLES)
def test_a_sample_has_the_form_of_its_task(settings: Settings, task: str, sample: Any, right: bool) -> None:
    if right:
        assert check_samples(task, [sample], settings, "texts") == [sample]
        return
    with pytest.raises(WorkbenchError) as told:
        check_samples(task, [sample], settings, "texts")
    assert told.value.field == "texts"


def test_runs_of_one_name_are_told_apart_by_when_they_were_made() -> None:
    states = [{**state_of("same", value, None), "created": made} for value, made in ((0.7, 1e9), (0.9, 1e9 + 61))]
    told = compare([*states, {**state_of("other", 0.1, None), "created": 1e9}])
    names = [run["name"] for run in told["runs"]]
    assert len(set(names)) == 3
    assert names[0].startswith("same, ")
    assert names[2] == "other"
    assert told["verdict"].startswith(names[1])
