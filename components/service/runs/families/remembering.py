"""A Trainer that need not evaluate the weights once more that it has just evaluated."""

from __future__ import annotations

from typing import Any

from components.service.runs.families.restoring import RestoringTrainer


class RememberingTrainer(RestoringTrainer):
    """Keeps what the last evaluation of a training, and the best one, predicted."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._outputs: dict[int, Any] = {}

    def evaluation_loop(self, *arguments: Any, **options: Any) -> Any:
        """Evaluate."""
        output = super().evaluation_loop(*arguments, **options)
        if self.is_in_train:
            # Which of the two is the better one is only found out afterwards.
            best = self.state.best_global_step
            self._outputs = {step: one for step, one in self._outputs.items() if step == best}
            self._outputs[self.state.global_step] = output
        return output

    def predicted(self) -> Any:
        """The evaluation of the weights that a training has left, as `predict` gives it; None if there was none."""
        loaded = self.args.load_best_model_at_end and self.state.best_model_checkpoint
        step = self.state.best_global_step if loaded else self.state.global_step
        return self._outputs.get(step)
