"""How a model's loss is averaged, found out by asking it: the Trainer goes by the signature, which does not tell."""

from __future__ import annotations

from typing import Any

import torch
from transformers import Trainer


def settle_scale(trainer: Trainer) -> None:
    """Make the Trainer divide each loss by the right number where a step has several passes or processes.

    A model that takes `num_items_in_batch` may divide the sum of its rows' losses by it, or take it and give the mean
    all the same, as BERT's heads do. The Trainer supposes the former of any model that takes keywords: its gradients
    would be too large by the number of passes, and of processes.
    """
    if trainer.model_accepts_loss_kwargs:
        trainer.model_accepts_loss_kwargs = _divides(trainer)


def _divides(trainer: Trainer) -> bool:
    batch = next(iter(trainer.get_eval_dataloader()))
    row = {name: value[:1] for name, value in batch.items() if isinstance(value, torch.Tensor)}
    trainer.model.eval()
    with torch.no_grad():
        one, two = (_loss(trainer.model, row, number) for number in (1, 2))
    return one is None or two is None or not torch.equal(one, two)


def _loss(model: Any, row: dict[str, torch.Tensor], number: int) -> torch.Tensor | None:
    loss: torch.Tensor | None = model(**row, num_items_in_batch=torch.tensor(number, device=model.device)).loss
    return loss
