"""Pushing while training: each checkpoint goes to the Hub as it is made, and the model with its card at the end.

What the Trainer does with `push_to_hub=True`, `hub_model_id` and `save_strategy="epoch"`, with one difference: the
training process never sees a token. The web process follows the run's folder with the visitor's token in memory, for
as long as it lives; after a restart sharing has to be asked for again. A push that fails is noted beside the run and
tried again at the next checkpoint; it never stops the training.
"""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import Any

from huggingface_hub import CommitOperationAdd

from components.service import rights
from components.service.errors import WorkbenchError
from components.service.publish import Publisher
from components.service.runs import Runs
from components.service.runs.state import ENDED
from components.service.runs.store import RunFolder
from components.service.visitor import Visitor

log = logging.getLogger(__name__)
LOOK_SECONDS = 1.0
#: What of a checkpoint is only there to go on training from, and stays here.
_OWN = ("optimizer", "scheduler", "rng_state", "trainer_state", "training_args", "scaler")


class Sharing:
    """Follows runs that are shared while they train, each in a thread of its own."""

    def __init__(self, runs: Runs, publisher: Publisher) -> None:
        self.runs = runs
        self.publisher = publisher
        self._lock = threading.Lock()
        self._followed: set[str] = set()
        self._closed = threading.Event()

    def share_run(self, run: str, repo: str, private: bool = True, *, visitor: Visitor) -> dict[str, Any]:
        """Push each checkpoint of a run to a repository, and its model with its card when it ends.

        Args:
            run: A run that waits or trains.
            repo: `namespace/name`, or `name` in the visitor's own namespace. It is created at once, so that what would
                fail then fails now; one that exists already is used if it is empty.
            private: Whether it can be read by its owner alone.

        Returns:
            `{"repo", "address", "private"}`. What was pushed stands in the run's state under `pushes`:
            `[{"step", "commit", "message"}]`, `commit` None where it failed.

        Raises:
            WorkbenchError: The run has ended (publish it instead) or is shared already, or the repository may not be
                written to.
        """
        folder = self.runs.folder(run, visitor=visitor)
        state = self.runs.state(run, visitor=visitor)
        if state["status"] in ENDED:
            raise WorkbenchError("This run has ended. Publish its model instead.", field="run")
        repo = rights.own(self.publisher.hub, repo, visitor)
        with self._lock:
            if folder.id in self._followed:
                raise WorkbenchError("This run is shared already.", kind="conflict", field="run")
            self.publisher.manager.open_repo(repo, private, False, visitor=visitor)
            self._followed.add(folder.id)
        threading.Thread(target=self._follow, args=(folder, repo, visitor), name="sharing", daemon=True).start()
        return {"repo": repo, "address": rights.address(self.publisher.hub, repo, "model"), "private": private}

    def close(self) -> None:
        """Stop following; what has been pushed stays."""
        self._closed.set()

    def _follow(self, folder: RunFolder, repo: str, visitor: Visitor) -> None:
        seen: set[str] = set()
        try:
            while not self._closed.wait(LOOK_SECONDS):
                ended = self.runs.state(folder.id, visitor=visitor)["status"] in ENDED
                for checkpoint in folder.complete_checkpoints():
                    if checkpoint.name not in seen:
                        seen.add(checkpoint.name)
                        self._push(folder, checkpoint, repo, visitor)
                if ended:
                    self._push_model(folder, repo, visitor)
                    return
        except WorkbenchError:
            log.info("A run that was being shared is gone.")
        finally:
            with self._lock:
                self._followed.discard(folder.id)

    def _push(self, folder: RunFolder, checkpoint: Path, repo: str, visitor: Visitor) -> None:
        step = int(checkpoint.name.rpartition("-")[2])
        files = [file for file in sorted(checkpoint.iterdir()) if file.is_file() and not file.name.startswith(_OWN)]
        try:
            done = self.publisher.contents.commit(
                repo,
                [CommitOperationAdd(file.name, file) for file in files],
                f"Training in progress, step {step}",
                parent=None,
                visitor=visitor,
            )
        except WorkbenchError as error:
            folder.append("push", step=step, commit=None, message=error.message)
        except FileNotFoundError:
            # The Trainer keeps the newest two checkpoints: this one went while it was being read.
            log.info("A checkpoint went before it could be pushed.")
        else:
            folder.append("push", step=step, commit=done["commit"], message=f"Step {step} is on {repo}.")

    def _push_model(self, folder: RunFolder, repo: str, visitor: Visitor) -> None:
        if self.runs.state(folder.id, visitor=visitor)["model"] is None:
            return
        try:
            done = self.publisher.publish_run(folder.id, repo, update=True, message="End of training", visitor=visitor)
        except WorkbenchError as error:
            folder.append("push", step=None, commit=None, message=error.message)
        else:
            folder.append("push", step=None, commit=done["commit"], message=f"The model and its card are on {repo}.")
