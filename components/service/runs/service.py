"""The runs of all visitors, seen from the web process: start, watch, stop, resume, try, delete."""

from __future__ import annotations

import hashlib
import hmac
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from components.service.data import Data
from components.service.engine import Engine
from components.service.errors import WorkbenchError
from components.service.hub import Hub, Snapshot
from components.service.runs.spec import RunSpec
from components.service.runs.state import ACTIVE, read_state
from components.service.runs.store import STOPS, RunFolder, is_id, new_id, read_json, write_json
from components.service.runs.supervisor import Supervisor
from components.service.settings import Settings
from components.service.tasks.texts import check_characters
from components.service.visitor import Visitor
from components.service.worker.findings import count

#: Most texts that one try takes.
TRIED = 32


class Runs:
    """Fine-tuning runs. All state is in files under `settings.home / "runs"`; a run is seen by its owner alone."""

    def __init__(self, settings: Settings, hub: Hub, engine: Engine, data: Data) -> None:
        self.settings = settings
        self.hub = hub
        self.engine = engine
        self.data = data
        self.root = settings.home / "runs"
        self.supervisor = Supervisor(settings)
        self._lists: dict[str, tuple[Any, dict[str, Any]]] = {}
        hub.add_namespace("runs", self.snapshot)
        if self.root.is_dir():
            self.supervisor.wake()

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
        if not visitor.owner:
            raise WorkbenchError(
                "A run needs an owner who can find it again. Open the page in a browser, or pass a token of the Hub.",
                kind="forbidden",
            )
        wanted = RunSpec.from_dict(spec, self.settings)
        self._room(visitor)
        model = self.hub.model(wanted.model, wanted.revision, visitor=visitor)
        fixed, local = self.data.resolve(wanted.data, visitor=visitor)
        columns = self._columns(wanted, local)
        wanted = wanted.with_(model=model.id, revision=model.commit, data=fixed, columns=columns)
        folder = self._lay_down(wanted, model.path, local, visitor)
        self.supervisor.wake()
        return read_state(folder)

    def stop(self, run_id: str, how: str = "stop", *, visitor: Visitor) -> dict[str, Any]:
        """Ask a run to stop.

        Args:
            how: `stop` keeps the weights as they are (and can be resumed), `best` those of the best evaluation so
                far, `epoch` finishes the epoch first, `discard` keeps no model.
        """
        folder = self.folder(run_id, visitor=visitor)
        if how not in STOPS:
            raise WorkbenchError(f"A run is stopped by one of: {', '.join(STOPS)}.", field="how")
        if read_state(folder, history=False)["status"] not in ("queued", *ACTIVE):
            raise WorkbenchError("This run is not going on, so there is nothing to stop.", field="run_id")
        folder.stop.write_text(how)
        self.supervisor.wake()
        return read_state(folder)

    def resume(self, run_id: str, *, visitor: Visitor) -> dict[str, Any]:
        """Go on from the last complete checkpoint, or from the start where there is none."""
        folder = self.folder(run_id, visitor=visitor)
        state = read_state(folder, history=False)
        if not state["resumable"]:
            raise WorkbenchError(
                f"This run is {state['status']}, so it cannot be resumed. Start a new one with the same settings.",
                field="run_id",
            )
        self._room(visitor)
        self._find_again(folder, visitor)
        folder.stop.unlink(missing_ok=True)
        folder.append("status", status="queued", message="Waiting to go on.")
        self.supervisor.wake()
        return read_state(folder)

    def state(self, run_id: str, *, visitor: Visitor) -> dict[str, Any]:
        """How a run stands; see `read_state`."""
        folder = self.folder(run_id, visitor=visitor)
        state = read_state(folder)
        if self.supervisor.lost(folder):
            self.supervisor.look()
            state = read_state(folder)
        return state

    def list(self, *, visitor: Visitor) -> list[dict[str, Any]]:
        """The visitor's runs without their histories, newest first."""
        own = [folder for folder in self.supervisor.folders() if self._is_owner(folder, visitor)]
        return [self._brief(folder) for folder in reversed(own)]

    def try_run(self, run_id: str, texts: Sequence[str], *, visitor: Visitor) -> dict[str, Any]:
        """`{rows: [{text, before, after}]}`: what the model that the run started from, and its own, answer.

        For text-classification an answer is `[{label, score}]`, for text-generation `{generated_text}`, for fill-mask
        `[{token_str, score, ...}]`.
        """
        folder = self.folder(run_id, visitor=visitor)
        state = read_state(folder, history=False)
        if state["model"] is None:
            raise WorkbenchError("This run has no model yet. Wait until it is finished or stopped.", field="run_id")
        asked = self._texts(texts)
        arguments = {
            "spec": state["spec"],
            "base": self._find_again(folder, visitor)["model"],
            "tuned": str(folder.model),
            "labels": state["labels"],
            "samples": asked,
        }
        rows: dict[str, Any] = self.engine.call("try_run", arguments)
        return rows

    def delete(self, run_id: str, *, visitor: Visitor) -> dict[str, Any]:
        """Delete a run with its model and data; returns `{"deleted": id}`."""
        folder = self.folder(run_id, visitor=visitor)
        if read_state(folder, history=False)["status"] in ACTIVE:
            raise WorkbenchError("This run is going on. Stop it first, then delete it.", kind="busy", field="run_id")
        gone = folder.path.with_name(f".{folder.id}")
        folder.path.rename(gone)
        shutil.rmtree(gone, ignore_errors=True)
        self._lists.pop(folder.id, None)
        return {"deleted": folder.id}

    def snapshot(self, name: str, visitor: Visitor) -> Snapshot:
        """The model of a run as a repository at a commit; what the Hub resolves `runs/<id>` with."""
        folder = self.folder(name, visitor=visitor)
        state = read_state(folder, history=False)
        commit = state["results"].get("commit")
        if state["model"] is None or not commit:
            raise WorkbenchError("This run has no model yet. Wait until it is finished or stopped.", field="model")
        return Snapshot(id=f"runs/{folder.id}", commit=commit, path=folder.model)

    def close(self) -> None:
        """Stop looking after the runs. Those that train go on by themselves."""
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
        try:
            return hmac.compare_digest(folder.owner.read_text(), _owner_key(visitor))
        except OSError:
            return False

    # What a run needs

    def _room(self, visitor: Visitor) -> None:
        waiting = sum(run["status"] == "queued" for run in self.list(visitor=visitor))
        if waiting >= self.settings.queued_runs:
            raise WorkbenchError(
                f"You have {count(waiting, 'run', 'runs')} waiting, as many as may wait here. Stop one, or wait "
                "until one ends.",
                kind="busy",
            )
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        if shutil.disk_usage(self.root).free < self.settings.free_disk_bytes:
            raise WorkbenchError("The disk is nearly full. Delete runs that are not needed.", kind="disk")

    def _columns(self, spec: RunSpec, local: dict[str, Any]) -> dict[str, str]:
        """The columns to train on, after a look at the data: what would fail later is told now."""
        arguments = {"source": local, "columns": spec.columns, "caps": self.data.caps()}
        seen = self.engine.call("inspect_data", arguments)
        reads_labels = spec.task == "text-classification"
        for problem in seen["problems"]:
            if problem["level"] == "error" and (reads_labels or problem["field"] != "columns.label"):
                raise WorkbenchError(f"{problem['message']} {problem['fix']}", field=problem["field"])
        roles = ("text", "text_pair", "label") if reads_labels else ("text",)
        columns = {role: seen["suggested"][role] for role in roles if seen["suggested"][role]}
        missing = [role for role in ("text", *(["label"] if reads_labels else [])) if role not in columns]
        if missing:
            names = ", ".join(column["name"] for column in seen["columns"])
            raise WorkbenchError(
                f"Choose the column with the {missing[0]}. The data has: {names}.", field=f"columns.{missing[0]}"
            )
        return columns

    def _lay_down(self, spec: RunSpec, model: Path, local: dict[str, Any], visitor: Visitor) -> RunFolder:
        """Make the run's folder; `spec.json` comes last, because with it the folder is a run."""
        folder = RunFolder(self.root / new_id())
        folder.data.mkdir(parents=True, mode=0o700)
        folder.owner.write_text(_owner_key(visitor))
        if "folder" not in local:
            spec, local = _keep_data(folder, spec, local)
        inputs = {
            "model": str(model),
            "data": local,
            "caps": self.data.caps(),
            "limits": {
                "seconds": self.settings.run_seconds,
                "free_disk_bytes": self.settings.free_disk_bytes,
                "model_bytes": self.settings.model_bytes,
            },
            "sequence_tokens": self.settings.sequence_tokens,
            "precision_cache": str(self.settings.home / "precision.json"),
        }
        write_json(folder.inputs, inputs)
        folder.append("status", status="queued", message="Waiting for its turn.")
        write_json(folder.spec, spec.to_dict())
        return folder

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

    def _texts(self, texts: Sequence[str]) -> Sequence[str]:
        """The texts to try, checked."""
        if isinstance(texts, str) or not isinstance(texts, Sequence) or not all(isinstance(t, str) for t in texts):
            raise WorkbenchError("Give a list of texts.", field="texts")
        asked = [text for text in texts if text.strip()]
        for text in asked:
            check_characters(text, "texts")
        if not asked:
            raise WorkbenchError("Write at least one sentence to try.", field="texts")
        if len(asked) > TRIED or any(len(text) > self.settings.text_chars for text in asked):
            raise WorkbenchError(
                f"At most {TRIED} texts of at most {self.settings.text_chars:,} characters each.", field="texts"
            )
        return asked


def _keep_data(folder: RunFolder, spec: RunSpec, local: dict[str, Any]) -> tuple[RunSpec, dict[str, Any]]:
    """Copy an upload, or write pasted rows, into the run's folder, where they stay as long as the run."""
    name = str(local.get("name") or "pasted.csv")
    kept = folder.data / f"rows{Path(name).suffix.lower()}"
    if "file" in local:
        shutil.copyfile(local["file"], kept)
    else:
        kept.write_text(local["text"], encoding="utf-8")
    relative = f"data/{kept.name}"
    return spec.with_(data={"file": relative, "name": name}), {"file": str(kept), "name": name}


def _owner_key(visitor: Visitor) -> str:
    """What is kept of the owner: a guest's key is a secret, so only its digest touches the disk."""
    return hashlib.sha256(visitor.owner.encode()).hexdigest()


def _mtime(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
