"""What a run looks like to people, derived from its files alone."""

from __future__ import annotations

from typing import Any

from components.service.runs.outcomes import OUTCOMES, asked, on_disk, weights_kept
from components.service.runs.store import RunFolder, read_json

#: States in which a process works on the run (or should).
ACTIVE = ("preparing", "running")
ENDED = ("finished", "stopped", "failed", "interrupted")
INTERRUPTED = "The training process ended without a word, as when the machine restarts."


def read_state(folder: RunFolder, *, history: bool = True) -> dict[str, Any]:
    """The state of a run as JSON values.

    Returns:
        `id, name, status, message, spec, created, started, ended, progress, train, eval, results, model, device,
        dtype, labels, facts, samples, pushes, failure, resumable, outcome, on_disk, place, ahead`. Times are seconds
        since 1970. Without `history` the lists `train` and `eval` are left out.

        `failure` is `{kind, message, next, changes}`, `changes` being settings that may mend it; `outcome` how a
        stopped run was stopped, `{how, title, effect}`; `results["kept"]` says which weights are the model, and why;
        `on_disk` what is left of a run that has ended, `{model, checkpoints, bytes}`; `place` and `ahead` are those of
        a run that waits, filled in by who knows the line.
    """
    spec = read_json(folder.spec) or {}
    state = _begun(folder.id, spec)
    for event in folder.events():
        _apply(state, event)
    if state["status"] in ACTIVE and folder.pid() is None:
        state |= {"status": "interrupted", "message": INTERRUPTED}
    stop = asked(folder)
    if state["status"] in ACTIVE and stop:
        state["message"] = OUTCOMES[stop].stopping
    elif state["status"] == "stopped" and stop:
        state["outcome"] = _outcome(stop)
    state["progress"] = _progress(state, read_json(folder.progress) or {})
    _add_model(state, folder, stop)
    if not history:
        del state["train"], state["eval"]
    return state


def _begun(run: str, spec: dict[str, Any]) -> dict[str, Any]:
    """The state of a run of which nothing but its spec is known."""
    return {
        "id": run,
        "name": spec.get("name") or f"{str(spec.get('model', '')).rsplit('/', 1)[-1]} · {spec.get('task', '')}",
        "status": "queued",
        "message": "",
        "spec": spec,
        "created": None,
        "started": None,
        "ended": None,
        "train": [],
        "eval": [],
        "results": {},
        "device": None,
        "dtype": None,
        "labels": [],
        "facts": {},
        "samples": {},
        "pushes": [],
        "failure": None,
        "outcome": None,
        "on_disk": None,
        "place": None,
        "ahead": None,
    }


def _apply(state: dict[str, Any], event: dict[str, Any]) -> None:
    kind = event.pop("kind")
    time = event.pop("time", None)
    if kind == "status":
        state["status"] = event["status"]
        state["message"] = event.get("message", "")
        state["failure"] = event.get("failure")
        state["created"] = state["created"] or time
        if event["status"] == "preparing":
            state["started"] = state["started"] or time
        state["ended"] = time if event["status"] in ENDED else None
        state["outcome"] = None
    elif kind in ("train", "eval"):
        # After a resume the steps since the checkpoint come again; the later record counts.
        while state[kind] and state[kind][-1]["step"] >= event["step"]:
            state[kind].pop()
        state[kind].append(event)
    elif kind == "facts":
        state["facts"] |= event
        state |= {key: event[key] for key in ("device", "dtype", "labels") if key in event}
    elif kind == "samples":
        state["samples"][event["when"]] = event["rows"]
    elif kind == "push":
        state["pushes"].append(event)
    elif kind == "results":
        state["results"] = event
    elif kind == "outcome" and event.get("how") in OUTCOMES:
        state["outcome"] = _outcome(event["how"])


def _add_model(state: dict[str, Any], folder: RunFolder, stop: str | None) -> None:
    """What there is of the run's model, and what may still become of it."""
    has_model = (folder.model / "config.json").is_file()
    state["model"] = f"runs/{folder.id}" if has_model and state["status"] in ("finished", "stopped") else None
    discarded = "discard" in (stop, (state["outcome"] or {}).get("how"))
    state["resumable"] = state["status"] in ("stopped", "interrupted", "failed") and not discarded
    if state["status"] in ENDED:
        state["on_disk"] = on_disk(folder)
        state["resumable"] &= bool(state["on_disk"]["checkpoints"]) or state["status"] != "failed"
    if state["failure"]:
        state["failure"]["changes"] = mending(state["failure"]["kind"], state["spec"])
    results = state["results"]
    if results.get("step"):
        chosen = state["facts"].get("metric"), results.get("best_step"), results["step"], state["spec"]["task"]
        state["results"] = {**results, "kept": weights_kept(state["eval"], *chosen)}


def _outcome(how: str) -> dict[str, str]:
    return {"how": how, "title": OUTCOMES[how].title, "effect": OUTCOMES[how].effect}


def no_model(status: str) -> str:
    """Why there is no model of a run, and what to do."""
    if status in ("queued", *ACTIVE):
        return "This run has no model yet. Wait until it is finished or stopped."
    return "This run has left no model. Start a new one with the same settings, or resume it if it can be."


def mending(kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    """Settings that the same run has a better chance with; empty where none is known to help."""
    batch = spec.get("batch_size") or 1
    if kind == "memory" and batch > 1:
        # The same rows a step, in smaller parts: the result stays what it would have been.
        return {"batch_size": batch // 2, "accumulation": (spec.get("accumulation") or 1) * 2}
    if kind == "memory" and spec.get("method") == "full":
        return {"method": "lora"}
    if kind == "diverged" and spec.get("learning_rate"):
        return {"learning_rate": float(f"{spec['learning_rate'] / 3:.2g}")}
    return {}


def _progress(state: dict[str, Any], noted: dict[str, Any]) -> dict[str, Any]:
    names = ("step", "steps", "epoch", "epochs", "seconds", "remaining_seconds")
    progress: dict[str, Any] = {name: noted.get(name) for name in names}
    steps = progress["steps"] or 0
    progress["fraction"] = min(1.0, (progress["step"] or 0) / steps) if steps else 0.0
    if state["status"] == "finished":
        progress["fraction"] = 1.0
    if state["status"] in ENDED:
        progress["remaining_seconds"] = None
    return progress
