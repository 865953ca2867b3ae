"""A few models on the same rows: where they agree, where they do not, how quick and how large they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from components.service.batch import Batch
from components.service.errors import WorkbenchError
from components.service.settings import Settings
from components.service.tasks import TaskSpec, find_task
from components.service.tasks.answers import MEANS, answer, same
from components.service.visitor import Visitor

#: What all models are given: what is wrong there is wrong for each of them.
_SHARED = ("task", "rows", "gold", "columns")
#: Rows that are timed one by one.
SAMPLE = 20
_NO_MEANING = "There is no agreement to speak of: outputs of this kind are not compared, only shown side by side."


class Compare:
    """Compares models.

    Args:
        settings: Say how many are compared at most.
        batch: What runs them, one after another.
    """

    def __init__(self, settings: Settings, batch: Batch) -> None:
        self._settings = settings
        self._batch = batch

    def compare_models(
        self,
        task: str,
        models: list[str],
        rows: Any = None,
        parameters: dict[str, Any] | None = None,
        gold: Any = None,
        *,
        visitor: Visitor,
    ) -> dict[str, Any]:
        """Run two to four models on the same rows.

        Args:
            task: A name of `TASKS`, or an alias.
            models: Ids; `id@revision` for another revision than the newest.
            rows, parameters, gold: As of `run_batch`.

        Returns:
            `models`: for each `{model, commit, dtype, parameters, p50_seconds, p95_seconds, sample, load_seconds,
            bytes, rss_bytes, rows_per_second, metrics, notes, error}`: the parameters as used; the time of one row,
            measured one by one, warm, on `sample` rows; how long the model's first load took; bytes of its weights, and
            by how much the worker's memory grew when it was loaded (None where it was in memory already); `error` says
            why a model did not run, and the rest is missing then. `rows`: `[{input, outputs, answers, errors, agree}]`,
            with an entry for each model, None where there is none, and `gold` where it was given. `agreement`: a
            matrix, the share of the rows that both models answered on which they agree, None where there is none.
            `disagreements`: numbers of the rows where not all agree. `means`: what agreement means here.

        Raises:
            WorkbenchError: With the field that has to be mended; a model that cannot run is told in its place, unless
            none can.
        """
        spec = find_task(task)
        names = self._names(models)
        results = [self._one(task, name, rows, parameters, gold, visitor) for name in names]
        if not any("rows" in one for one in results):
            raise results[0]["error"]
        table = _rows(spec, results)
        return {
            "models": [_figures(name, one) for name, one in zip(names, results, strict=True)],
            "rows": table,
            "agreement": _agreement(spec, table, len(names)),
            "disagreements": [number for number, row in enumerate(table) if row["agree"] is False],
            "means": MEANS.get(spec.output, _NO_MEANING),
        }

    def _names(self, models: Any) -> list[str]:
        if not isinstance(models, list) or not all(isinstance(name, str) and name.strip() for name in models):
            raise WorkbenchError("Models are a list of ids.", field="models")
        names = list(dict.fromkeys(name.strip() for name in models))
        if not 2 <= len(names) <= self._settings.compared_models:
            raise WorkbenchError(
                f"Choose 2 to {self._settings.compared_models} different models; here are {len(names)}.", field="models"
            )
        return names

    def _one(
        self, task: str, name: str, rows: Any, parameters: dict[str, Any] | None, gold: Any, visitor: Visitor
    ) -> dict[str, Any]:
        """A model's batch with its figures, or why there is none."""
        model, _, revision = name.partition("@")
        try:
            return self._batch.measure_batch(task, model, rows, parameters, gold, revision, SAMPLE, visitor)
        except WorkbenchError as error:
            if error.field in _SHARED or error.kind == "busy":
                raise
            return {"error": error}


def _figures(name: str, one: Mapping[str, Any]) -> dict[str, Any]:
    if "error" in one:
        return {"model": name, "error": one["error"].message}
    return {
        "model": name,
        "commit": one["facts"]["commit"],
        "dtype": one["facts"]["dtype"],
        "parameters": one["facts"]["parameters"],
        **one["measured"],
        "rows_per_second": one["throughput"]["rows_per_second"],
        "metrics": one["metrics"],
        "notes": one["facts"]["notes"],
    }


def _rows(spec: TaskSpec, results: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Each row with what every model made of it."""
    first = next(one["rows"] for one in results if "rows" in one)
    table = []
    for number, row in enumerate(first):
        cells = [one["rows"][number] if "rows" in one else {} for one in results]
        answers = [answer(spec.output, cell.get("output")) for cell in cells]
        told = [one for one in answers if one is not None]
        table.append(
            {
                "input": row["input"],
                **({"gold": row["gold"]} if "gold" in row else {}),
                "outputs": [cell.get("output") for cell in cells],
                "answers": answers,
                "errors": [cell.get("error") for cell in cells],
                "agree": all(same(spec.output, told[0], one) for one in told) if len(told) > 1 else None,
            }
        )
    return table


def _agreement(spec: TaskSpec, table: Sequence[Mapping[str, Any]], count: int) -> list[list[float | None]]:
    """The share of the rows that two models answered on which they agree, for each two of them."""

    def share(one: int, two: int) -> float | None:
        pairs = [(row["answers"][one], row["answers"][two]) for row in table]
        both = [pair for pair in pairs if None not in pair]
        return sum(same(spec.output, *pair) for pair in both) / len(both) if both else None

    return [[share(one, two) for two in range(count)] for one in range(count)]
