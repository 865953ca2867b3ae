"""Evaluation results as rows of a table, from and to a card's model-index and the files of `.eval_results`.

A row is one metric of one result: `{"task", "task_name", "dataset", "dataset_name", "config", "split", "revision",
"metric", "name", "value", "source", "source_name", "field"}`. `dataset` is an id on the Hub, `source` an address, and
`field` the path of the metric in the card; None for a row that is not there yet.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from components.service.cards.checks.card import value_at
from components.service.cards.document import metadata
from components.service.cards.outline import sections
from components.service.errors import WorkbenchError
from components.service.tasks.texts import check_characters

Row = dict[str, Any]
Change = dict[str, Any]
#: A row with the metric and the result that it had before, if it had any.
_New = tuple[Row, Mapping[str, Any], Mapping[str, Any]]
#: Most rows, and most characters of a text in one.
ROWS, CHARS = 500, 500
#: Where each part of a row stands in its result, and in its metric.
_RESULT = {
    "task": ("task", "type"), "task_name": ("task", "name"), "dataset": ("dataset", "type"),
    "dataset_name": ("dataset", "name"), "config": ("dataset", "config"), "split": ("dataset", "split"),
    "revision": ("dataset", "revision"), "source": ("source", "url"), "source_name": ("source", "name"),
}  # fmt: skip
_METRIC = {"metric": "type", "name": "name", "value": "value"}
#: What a row cannot do without.
_NEEDED = ("task", "dataset", "dataset_name", "metric", "value")


def read_rows(text: str) -> list[Row]:
    """The results that a card's model-index has, in order; what is no result there is passed over."""
    return [
        {
            **{name: _part(result, where) for name, where in _RESULT.items()},
            **{name: metric.get(key) for name, key in _METRIC.items()},
            "field": path,
        }
        for path, result, metric in _metrics(metadata(text))
    ]


def _metrics(values: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any], Mapping[str, Any]]]:
    """Path, result and metric of every metric."""
    for m, model in _dicts(values.get("model-index")):
        for r, result in _dicts(model.get("results")):
            for k, metric in _dicts(result.get("metrics")):
                yield f"model-index[{m}].results[{r}].metrics[{k}]", result, metric


def _dicts(value: Any) -> Iterator[tuple[int, Mapping[str, Any]]]:
    return ((at, one) for at, one in enumerate(value if isinstance(value, list) else []) if isinstance(one, Mapping))


def _part(result: Mapping[str, Any], where: tuple[str, str]) -> Any:
    part = result.get(where[0])
    return part.get(where[1]) if isinstance(part, Mapping) else None


def check_rows(rows: Any) -> list[Row]:
    """Rows that came from outside, whole.

    Raises:
        WorkbenchError: They are no rows, or one lacks what it needs; `field` says which row and key.
    """
    if not isinstance(rows, list) or len(rows) > ROWS:
        raise WorkbenchError(f"Give the results as a list of at most {ROWS} rows.", field="rows")
    known = {*_RESULT, *_METRIC, "field"}
    checked = []
    for number, row in enumerate(rows):
        if not isinstance(row, Mapping) or not row.keys() <= known:
            raise WorkbenchError(f"A row has no other keys than {', '.join(sorted(known))}.", field=f"rows[{number}]")
        whole = {name: None if row.get(name) == "" else row.get(name) for name in known}
        for name, value in whole.items():
            _check_value(name, value, f"rows[{number}].{name}")
        whole["dataset_name"] = whole["dataset_name"] or whole["dataset"]
        for name in _NEEDED:
            if whole[name] is None:
                message = f"Row {number + 1} has no {name.replace('_', ' ')}. Give it, or delete the row."
                raise WorkbenchError(message, field=f"rows[{number}].{name}")
        if whole["source_name"] and not whole["source"]:
            message = f"Row {number + 1} names a source without its address, which the Hub refuses. Give the address."
            raise WorkbenchError(message, field=f"rows[{number}].source")
        checked.append(whole)
    return checked


def _check_value(name: str, value: Any, field: str) -> None:
    if isinstance(value, str):
        check_characters(value, field)
        if len(value) > CHARS:
            raise WorkbenchError(f"This is longer than {CHARS} characters. Shorten it.", field=field)
    elif isinstance(value, bool) or not (value is None or (name == "value" and isinstance(value, int | float))):
        raise WorkbenchError("The parts of a row are texts; its value may be a number.", field=field)
    elif isinstance(value, float) and (value != value or abs(value) == float("inf")):
        raise WorkbenchError("A value is a finite number, or a text.", field=field)


def is_whole(row: Row) -> bool:
    """Whether a row that was read has all that a result needs, in the right types."""
    try:
        check_rows([row])
    except WorkbenchError:
        return False
    return True


def row_changes(text: str, rows: Any) -> list[Change]:
    """Changes after which a card's model-index has these rows: `edit` takes them.

    A row with a `field` stands for the metric there, and only what differs in it is written; of those that are left
    out the metric goes, and one without a `field` is new. What a row does not show of its result stays as it is.

    Raises:
        WorkbenchError: As of `check_rows`, or a `field` names no metric of this card, or one of two rows.
    """
    given, before = check_rows(rows), {row["field"]: row for row in read_rows(text)}
    fields = [row["field"] for row in given if row["field"] is not None]
    for number, row in enumerate(given):
        if row["field"] is not None and (row["field"] not in before or fields.count(row["field"]) > 1):
            message = "This row is of another state of the card. Read the results again."
            raise WorkbenchError(message, kind="conflict", field=f"rows[{number}].field")
    return _Table(metadata(text), before, given, _title(text)).changes()


def _title(text: str) -> str:
    return next((section.title for section in sections(text) if section.level == 1), "model")


class _Table:
    """The rows that a card has and those that it is to have."""

    def __init__(self, values: Mapping[str, Any], before: Mapping[str, Row], rows: Sequence[Row], title: str) -> None:
        self.values = values
        self.before = before
        self.title = title
        self.kept = [row for row in rows if row["field"] is not None]
        self.new: list[_New] = [(row, {}, {}) for row in rows if row["field"] is None]
        self.gone = set(before) - {row["field"] for row in self.kept}

    def changes(self) -> list[Change]:
        """What is written in its place first, then what is added at the ends, then what goes, from the back."""
        written = [*self._results(), *self._values()]
        return [*written, *self._added(), *self._cut()]

    def _results(self) -> Iterator[Change]:
        """What all rows of a result have otherwise is written; where they differ, a row moves into one of its own."""
        for result in dict.fromkeys(_result_of(row["field"]) for row in self.kept):
            rows = [row for row in self.kept if _result_of(row["field"]) == result]
            old = self.before[rows[0]["field"]]
            wanted = {_key(row) for row in rows}
            if len(wanted) == 1:
                yield from _differing(result, old, rows[0])
                continue
            for row in rows:
                if _key(row) != _key(old):
                    self.kept.remove(row)
                    self.gone.add(row["field"])
                    self.new.append((row, value_at(self.values, row["field"]), value_at(self.values, result)))

    def _values(self) -> Iterator[Change]:
        for row in self.kept:
            old = self.before[row["field"]]
            for name, key in _METRIC.items():
                if row[name] != old[name] or isinstance(row[name], str) != isinstance(old[name], str):
                    yield {"field": f"{row['field']}.{key}", "value": row[name]}

    def _added(self) -> Iterator[Change]:
        """New metrics at the end of the result that they belong to, else in a new one at the end."""
        places = {_key(row): _result_of(row["field"]) for row in reversed(self.kept)}
        counts = {path: len(value_at(self.values, path)["metrics"]) for path in set(places.values())}
        made: dict[str, dict[str, Any]] = {}
        for row, raw, result in self.new:
            metric = {**raw, **{key: row[name] for name, key in _METRIC.items() if row[name] is not None}}
            place = places.get(_key(row))
            if place is None:
                whole = {**_with_row(result, row), "metrics": []}
                made.setdefault(repr(whole), whole)["metrics"].append(metric)
                continue
            yield {"field": f"{place}.metrics[{counts[place]}]", "value": metric}
            counts[place] += 1
        yield from self._appended(list(made.values()))

    def _appended(self, results: Sequence[dict[str, Any]]) -> Iterator[Change]:
        if not results:
            return
        index = self.values.get("model-index")
        model = index[0] if isinstance(index, list) and index and isinstance(index[0], dict) else None
        if model is None or not isinstance(model.get("results"), list):
            name = model.get("name") if model and isinstance(model.get("name"), str) else self.title
            rest = index[1:] if isinstance(index, list) else []
            whole = [{"name": name, "results": list(results)}, *rest]
            yield {"field": "model-index", "value": whole}
            return
        for number, result in enumerate(results, len(model["results"])):
            yield {"field": f"model-index[0].results[{number}]", "value": result}

    def _cut(self) -> Iterator[Change]:
        """Metrics that go, with a result or a model-index that has none left, the last one first."""
        if self.gone and not self.kept and not self.new and self._all_shown():
            yield {"field": "model-index", "value": None}
            return
        left = {_result_of(row["field"]) for row in self.kept}
        order = list(self.before)
        cut: list[str] = []
        for path in sorted(self.gone, key=order.index, reverse=True):
            place = path if _result_of(path) in left else _result_of(path)
            if place not in cut:
                cut.append(place)
        yield from ({"field": place, "value": None} for place in cut)

    def _all_shown(self) -> bool:
        """Whether a model-index has nothing but what its rows show."""
        models = [model for _, model in _dicts(self.values["model-index"])]
        shown = {_result_of(path) for path in self.before}
        return len(models) == len(self.values["model-index"]) and len(shown) == sum(
            len(model["results"]) if isinstance(model.get("results"), list) else 1 for model in models
        )


def _differing(path: str, old: Row, new: Row) -> Iterator[Change]:
    for name, (part, key) in _RESULT.items():
        if new[name] != old[name]:
            if part == "source" and new["source"] is None:
                if name == "source":
                    yield {"field": f"{path}.source", "value": None}
                continue
            yield {"field": f"{path}.{part}.{key}", "value": new[name]}


def _result_of(path: str) -> str:
    """The path of the result that a metric is in."""
    return path.rpartition(".")[0]


def _key(row: Row) -> tuple[Any, ...]:
    """What a row shares with those of its result."""
    return tuple(row[name] for name in _RESULT)


def _with_row(result: Mapping[str, Any], row: Row) -> dict[str, Any]:
    """A result with what a row says of it, and whatever else it has."""
    made = {part: dict(value) if isinstance(value, Mapping) else value for part, value in result.items()}
    for name, (part, key) in _RESULT.items():
        if row[name] is not None:
            made[part] = {**(made[part] if isinstance(made.get(part), dict) else {}), key: row[name]}
        elif isinstance(made.get(part), dict):
            made[part].pop(key, None)
    return {part: value for part, value in made.items() if value != {}}
