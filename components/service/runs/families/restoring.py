"""A Trainer that takes all of a checkpoint's weights, whatever they are called in its files."""

from __future__ import annotations

from typing import Any

import torch
from transformers import PreTrainedModel, Trainer

from components.service.errors import WorkbenchError


class RestoringTrainer(Trainer):  # type: ignore[misc]  # the library has no types
    """Restores the best weights, and those that a run goes on from, as `from_pretrained` reads them.

    transformers writes some models, ViT among them, under the names that their weights had in earlier versions. Its
    own Trainer looks for today's names in the files and passes over the rest, so it restores a part of such a model.
    """

    def _load_best_model(self) -> None:
        if not _restored(self.model, self.state.best_model_checkpoint):
            super()._load_best_model()

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        if not _restored(model or self.model, resume_from_checkpoint):
            super()._load_from_checkpoint(resume_from_checkpoint, model)


def _restored(model: Any, checkpoint: str) -> bool:
    """Give a model the weights of a checkpoint; whether it is a whole one, and not an adapter of one.

    Raises:
        WorkbenchError: The checkpoint lacks some.
    """
    if not isinstance(model, PreTrainedModel):
        return False
    options = {"dtype": "float32", "use_safetensors": True, "trust_remote_code": False, "local_files_only": True}
    # What is drawn afterwards must not depend on whether there was something to restore.
    with torch.random.fork_rng():
        read, told = type(model).from_pretrained(checkpoint, output_loading_info=True, **options)
    if lacking := sorted(told["missing_keys"]):
        raise WorkbenchError(
            f"The checkpoint lacks weights that the model has, {lacking[0]} among them, so it cannot be gone on with. "
            "Start a new run with the same settings.",
            kind="code",
        )
    model.load_state_dict(read.state_dict())
    return True
