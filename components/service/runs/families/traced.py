"""An evaluation whose examples carry what they were made from, since figures are made of that and not of ids."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from components.service.runs.families.remembering import RememberingTrainer

#: The key of an example under which that is; nothing that a model reads.
SOURCE = "source"


class TracingTrainer(RememberingTrainer):
    """Notes the sources of an evaluation's examples, in the order in which their predictions come."""

    evaluated: Sequence[Any] = ()

    def evaluation_loop(self, dataloader: Any, *rest: Any, **options: Any) -> Any:
        """Evaluate."""
        self.evaluated = self.sources(dataloader.dataset)
        return super().evaluation_loop(dataloader, *rest, **options)

    def sources(self, dataset: Any) -> list[Any]:
        """The sources of a data set's examples, in the order in which they are evaluated."""
        order = self._get_eval_sampler(dataset)
        return [dataset[i][SOURCE] for i in (range(len(dataset)) if order is None else order)]


def untraced(examples: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The examples as a model reads them."""
    return [{name: value for name, value in example.items() if name != SOURCE} for example in examples]
