"""The runs of all visitors, seen from the web process: rehearse, start, watch, stop, resume, compare, try, delete."""

from __future__ import annotations

import hmac
import shutil
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from components.service.data import Data
from components.service.engine import Engine
from components.service.errors import WorkbenchError
from components.service.hub import Hub, Snapshot
from components.service.runs import line
from components.service.runs.comparison import compare
from components.service.runs.groundwork import Groundwork, encoded_folder, kept_data, owner_key
from components.service.runs.log import read_log
from components.service.runs.rehearsal import Rehearsals
from components.service.runs.room import Room
from components.service.runs.samples import check_samples
from components.service.runs.spec import RunSpec
from components.service.runs.state import ACTIVE, no_model, read_state
from components.service.runs.store import STOPS, RunFolder, is_id, new_id, read_json, write_json
from components.service.runs.supervisor import Supervisor
from components.service.settings import Settings
from components.service.visitor import Visitor

#: Fewer runs than these are nothing to compare.
FEWEST = 2
# Not in the class, which has a method of the name `list`.
States = list[dict[str, Any]]
Folders = list[RunFolder]


class Runs:
    """Fine-tuning runs. All state is in files under `settings.home / "runs"`; a run is seen by its owner alone."""

    def __init__(self, settings: Settings, hub: Hub, engine: Engine, data: Data) -> None:
        self.settings = settings
        self.hub = hub
        self.engine = engine
        self.data = data
        self.root = settings.home / "runs"
        self.groundwork = Groundwork(settings, hub, engine, data)
        self.rehearsals = Rehearsals(settings, hub, self.groundwork)
        self.supervisor = Supervisor(settings)
        self._lists: dict[str, tuple[Any, dict[str, Any]]] = {}
        self._room = Room(settings, self.root, lambda: self.supervisor.line()[0])
        self._entering = threading.Lock()
        hub.add_namespace("runs", self.snapshot)
        hub.fetched.spare(self._read)
        if self.root.is_dir():
            self.supervisor.wake()

    def rehearse(self, spec: dict[str, Any], repo: str = "", *, visitor: Visitor) -> dict[str, Any]:
        """Measure, before a run is started, whether it fits and how long it will take.

        Its longest batch goes through the real training process once: forward, backward, evaluation, save, reload.

        Args:
            spec: As `start_run` takes it.
            repo: Where the model is to be pushed, if it is; the right to write there is checked.

        Returns:
            `fits`; `message`, a sentence; `instead`, settings that would fit where these do not, or None;
            `seconds_per_step`, `steps`, `evaluation_seconds`, `save_seconds`, `seconds` (the whole run);
            `peak_memory_bytes`, `memory_bytes` (at hand), `disk_bytes` (needed), `disk_free_bytes`; `precision`:
            `{dtype, why, speedup}`; `longest`, tokens of the longest batch; `checks`: `[{name, ok, message}]`; `rows`:
            `{train, validation}`. What could not be measured is None.

        Raises:
            WorkbenchError: The spec, the model or the data does not allow the run at all.
        """
        self.groundwork.here()
        _check_owner(visitor)
        own = sum(folder.bytes() for folder in self._own(visitor))
        return self.rehearsals.rehearse(spec, repo, self.settings.runs_bytes - own, visitor=visitor)

    def estimate(self, spec: dict[str, Any], visitor: Visitor) -> float | None:
        """Seconds that a run would take on this machine, by a rehearsal; None where it cannot be told here."""
        seconds: float | None = None if self.settings.zero_gpu else self.rehearse(spec, visitor=visitor)["seconds"]
        return seconds

    def start(self, spec: dict[str, Any], *, visitor: Visitor) -> dict[str, Any]:
        """Queue a run; it starts as soon as there is room.

        Args:
            spec: As `RunSpec`: task, model and data, and whatever else differs from the defaults.

        Returns:
            Its state, as `state` gives it.

        Raises:
            WorkbenchError: The spec, the model or the data does not allow it (`field` says which setting), the visitor
                has too many runs waiting (`busy`), or the disk is nearly full (`disk`).
        """
        self.groundwork.here()
        _check_owner(visitor)
        RunSpec.from_dict(spec, self.settings)
        self._room.check(visitor, self._own(visitor))
        plan = self.groundwork.plan(spec, visitor)
        folder = RunFolder(self.root / new_id())
        # Many that come at once would all find room.
        with self._entering:
            self._room.check(visitor, self._own(visitor))
            self.groundwork.lay_down(plan, folder, visitor)
            self._room.note(folder, visitor)
        self.supervisor.wake()
        return self._whole(folder)

    def rerun(self, run_id: str, changes: dict[str, Any] | None = None, *, visitor: Visitor) -> dict[str, Any]:
        """Start a new run with the settings and the data of another one.

        Args:
            run_id: The run to take them from.
            changes: Settings that are to be different, such as `{"seed": 1}`; None as a value stands for the default.

        Returns:
            The new run's state.
        """
        folder = self.folder(run_id, visitor=visitor)
        if changes is not None and not isinstance(changes, Mapping):
            raise WorkbenchError('Changes are an object of settings, such as {"epochs": 5}.', field="changes")
        before = read_json(folder.spec)
        given = dict(changes or {})
        if given.get("model", before["model"]) != before["model"]:
            before.pop("revision", None)
        if "data" in given or given.get("task", before["task"]) != before["task"]:
            before.pop("columns", None)
        kept = {**before, "data": kept_data(folder, before["data"])}
        return self.start({**kept, **given}, visitor=visitor)

    def stop(self, run_id: str, how: str = "stop", *, visitor: Visitor) -> dict[str, Any]:
        """Ask a run to stop, or take one that waits out of the line.

        Args:
            how: `epoch` finishes the epoch first, `best` keeps the weights of the best evaluation so far, `stop` the
                last ones, `discard` neither model nor checkpoints. All but the last can be resumed.
        """
        folder = self.folder(run_id, visitor=visitor)
        if how not in STOPS:
            raise WorkbenchError(f"A run is stopped by one of: {', '.join(STOPS)}.", field="how")
        if read_state(folder, history=False)["status"] not in ("queued", *ACTIVE):
            raise WorkbenchError("This run is not going on, so there is nothing to stop.", field="run_id")
        folder.stop.write_text(how)
        self.supervisor.wake()
        return self._whole(folder)

    def resume(self, run_id: str, *, visitor: Visitor) -> dict[str, Any]:
        """Go on from the last complete checkpoint, or from the start where there is none."""
        self.groundwork.here()
        folder = self.folder(run_id, visitor=visitor)
        state = read_state(folder, history=False)
        if not state["resumable"]:
            raise WorkbenchError(
                f"This run is {state['status']}, so it cannot be resumed. Start a new one with the same settings.",
                field="run_id",
            )
        self._find_again(folder, visitor)
        with self._entering:
            self._room.check(visitor, self._own(visitor))
            folder.stop.unlink(missing_ok=True)
            line.join(folder)
            folder.append("status", status="queued", message="Waiting to go on.")
            self._room.note(folder, visitor)
        self.supervisor.wake()
        return self._whole(folder)

    def move(self, run_id: str, place: int = 1, *, visitor: Visitor) -> dict[str, Any]:
        """Give a run that waits another place in line; runs of others are not overtaken.

        Args:
            run_id: A run that waits.
            place: The place that is wished for; 1 is the next to start.

        Returns:
            Its state, with the `place` that it got.
        """
        folder, wished = self.folder(run_id, visitor=visitor), line.check_place(place)
        waiting, _ = self.supervisor.line()
        if folder.id not in {one.id for one in waiting}:
            raise WorkbenchError("This run does not wait, so it has no place in line.", field="run_id")
        line.move(waiting, [one for one in waiting if self._is_owner(one, visitor)], folder, wished)
        return self._whole(folder)

    def state(self, run_id: str, *, visitor: Visitor) -> dict[str, Any]:
        """How a run stands; see `read_state`."""
        folder = self.folder(run_id, visitor=visitor)
        state = self._whole(folder)
        if state["status"] == "interrupted":
            # Its process may have ended just now, and the supervisor has yet to say why.
            self.supervisor.look()
            state = self._whole(folder)
        return state

    def list(self, *, visitor: Visitor) -> States:
        """The visitor's runs without their histories, newest first."""
        listed = [self._brief(folder) for folder in reversed(self._own(visitor))]
        return self._placed(listed)

    def compare(self, run_ids: Sequence[str], *, visitor: Visitor) -> dict[str, Any]:
        """Put two or more runs side by side.

        Args:
            run_ids: Their ids.

        Returns:
            `task`, empty where they are of several; `runs`: `[{id, name, status, metric, value, low, high}]`, low and
            high being the ends of the 95 % interval or None; `differs`: `[{setting, values}]`, one value a run, of the
            settings that are not all the same;
            `curves`: `[{id, name, train: [[step, loss]], eval: [[step, value]]}]`; `verdict`, a sentence;
            `within_noise`: whether the best is better than the next by chance alone, None where that is open.
        """
        if isinstance(run_ids, str) or not isinstance(run_ids, Sequence):
            raise WorkbenchError("Give a list of runs.", field="run_ids")
        most = self.settings.compared_runs
        folders = [self.folder(run_id, visitor=visitor) for run_id in list(run_ids)[: most + 1]]
        if not FEWEST <= len({folder.id for folder in folders}) == len(folders) <= most:
            raise WorkbenchError(f"Choose {FEWEST} to {most} different runs to compare.", field="run_ids")
        return compare([read_state(folder) for folder in folders])

    def log(self, run_id: str, tail: int = 20_000, *, visitor: Visitor) -> dict[str, Any]:
        """The end of a run's log, without tokens and without paths of this machine.

        Args:
            run_id: The run.
            tail: How much of it, in bytes.

        Returns:
            `{"text", "bytes"}`; `bytes` is the size of the whole log.
        """
        folder = self.folder(run_id, visitor=visitor)
        if isinstance(tail, bool) or not isinstance(tail, int) or not 1 <= tail <= self.settings.log_bytes:
            raise WorkbenchError(
                f"The tail of a log is a whole number of bytes from 1 to {self.settings.log_bytes:,}.", field="tail"
            )
        return read_log(folder.log, tail)

    def try_run(self, run_id: str, texts: Sequence[Any], *, visitor: Visitor) -> dict[str, Any]:
        """`{rows: [{text, before, after}]}`: what the model that the run started from, and its own, answer.

        Args:
            run_id: A run with a model.
            texts: Samples as its task takes them: texts, `{"text", "text_pair"}`, `{"question", "context"}` or
                `{"image": base64}`.

        Returns:
            Each answer has the form of the inference task's output.
        """
        folder = self.folder(run_id, visitor=visitor)
        state = read_state(folder, history=False)
        if state["model"] is None:
            raise WorkbenchError(no_model(state["status"]), field="run_id")
        asked = check_samples(state["spec"]["task"], texts, self.settings, "texts")
        if not asked:
            raise WorkbenchError("Write at least one sentence to try.", field="texts")
        # What the labels are was seen from the data, which is not looked at again.
        problem = state["facts"].get("problem") or state["spec"]["problem"]
        arguments = {
            "spec": {**state["spec"], "problem": problem},
            "base": self._find_again(folder, visitor)["model"],
            "tuned": str(folder.model),
            "labels": state["labels"],
            "samples": asked,
        }
        rows: dict[str, Any] = self.engine.call("try_run", arguments, visitor=visitor)
        return rows

    def delete(self, run_id: str, *, visitor: Visitor) -> dict[str, Any]:
        """Delete a run with its model and data; returns `{"deleted": id}`."""
        folder = self.folder(run_id, visitor=visitor)
        if read_state(folder, history=False)["status"] in ACTIVE:
            raise WorkbenchError("This run is going on. Stop it first, then delete it.", kind="busy", field="run_id")
        gone = folder.path.with_name(f".{folder.id}")
        folder.path.rename(gone)
        shutil.rmtree(gone, ignore_errors=True)
        # What was tokenized of its data goes, too; other runs tokenize theirs again.
        shutil.rmtree(encoded_folder(self.settings, visitor), ignore_errors=True)
        self._lists.pop(folder.id, None)
        return {"deleted": folder.id}

    def snapshot(self, name: str, visitor: Visitor) -> Snapshot:
        """The model of a run as a repository at a commit; what the Hub resolves `runs/<id>` with."""
        folder = self.folder(name, visitor=visitor)
        state = read_state(folder, history=False)
        commit = state["results"].get("commit")
        if state["model"] is None or not commit:
            raise WorkbenchError(no_model(state["status"]), field="model")
        return Snapshot(id=f"runs/{folder.id}", commit=commit, path=folder.model)

    def close(self) -> None:
        """Stop looking after the runs, and end rehearsals. Those that train go on by themselves."""
        self.rehearsals.close()
        self.supervisor.close()

    # Whose a run is

    def folder(self, run_id: Any, *, visitor: Visitor) -> RunFolder:
        """The folder of the visitor's run; a stranger's run and one that never was are the same to them."""
        name = run_id.removeprefix("runs/") if isinstance(run_id, str) else run_id
        folder = RunFolder(self.root / name) if is_id(name) else None
        if folder is None or not folder.spec.is_file() or not self._is_owner(folder, visitor):
            raise WorkbenchError(
                "There is no such run of yours. Look at the list of your runs for its id.",
                kind="not_found",
                field="run_id",
            )
        return folder

    @staticmethod
    def _is_owner(folder: RunFolder, visitor: Visitor) -> bool:
        return hmac.compare_digest(folder.owner_key(), owner_key(visitor))

    def _own(self, visitor: Visitor) -> Folders:
        return [folder for folder in self.supervisor.folders() if self._is_owner(folder, visitor)]

    def _read(self) -> Sequence[Path]:
        """What runs that have not ended read from the Hub's cache."""
        waiting, working = self.supervisor.line()
        inputs = [read_json(folder.inputs) or {} for folder in (*waiting, *working)]
        places = [place for one in inputs for place in (one.get("model"), one.get("data", {}).get("folder")) if place]
        return [Path(place) for place in places]

    # How runs stand

    def _whole(self, folder: RunFolder) -> dict[str, Any]:
        return self._placed([read_state(folder)])[0]

    def _placed(self, states: States) -> States:
        """The states, with the place in line of those that wait and how many runs of anybody come before them."""
        if any(state["status"] == "queued" for state in states):
            waiting, working = self.supervisor.line()
            places = {folder.id: place for place, folder in enumerate(waiting, 1)}
            for state in states:
                if place := places.get(state["id"]):
                    state |= {"place": place, "ahead": place - 1 + len(working)}
        return states

    def _find_again(self, folder: RunFolder, visitor: Visitor) -> dict[str, Any]:
        """Where model and data lie on this machine; fetched again if the cache has lost them."""
        inputs: dict[str, Any] = read_json(folder.inputs) or {}
        spec = RunSpec.from_dict(read_json(folder.spec), self.settings)
        if not Path(inputs.get("model", "")).joinpath("config.json").is_file():
            inputs["model"] = str(self.hub.model(spec.model, spec.revision, visitor=visitor).path)
        if "dataset" in spec.data and not Path(inputs.get("data", {}).get("folder", "")).is_dir():
            inputs["data"] = self.data.resolve(spec.data, visitor=visitor)[1]
        write_json(folder.inputs, inputs)
        return inputs

    def _brief(self, folder: RunFolder) -> dict[str, Any]:
        stamp = (folder.stamp(), _mtime(folder.progress), folder.pid(), folder.stop.exists())
        known = self._lists.get(folder.id)
        if known is None or known[0] != stamp:
            known = self._lists[folder.id] = (stamp, read_state(folder, history=False))
        return dict(known[1])


def _check_owner(visitor: Visitor) -> None:
    if not visitor.owner:
        raise WorkbenchError(
            "A run needs an owner who can find it again. Open the page in a browser, or pass a token of the Hub.",
            kind="forbidden",
        )


def _mtime(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
