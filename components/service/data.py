"""Data to fine-tune on: from a data set's id, an upload or pasted rows to what it holds and what is wrong with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.service.engine import Engine
from components.service.errors import WorkbenchError
from components.service.hub import Hub
from components.service.policy import image_files, is_image
from components.service.runs.checks import DATA, SOURCES
from components.service.runs.spec import RunSpec
from components.service.settings import Settings
from components.service.sizes import in_units
from components.service.tasks.texts import check_characters
from components.service.visitor import Visitor
from components.service.worker.layout import SPLIT_NAMES, splits_of, table_format

#: Settings of a run that `inspect` takes as arguments of their own.
_OWN = ("task", "model", "data", "columns")
#: A path that is longer names no file; most systems refuse to look for it.
PATH_CHARS = 1000


def check_columns(columns: Any) -> None:
    """Refuse columns that are not names by role, such as `{"text": "sentence"}`; None stands for no choice."""
    if columns is not None and not isinstance(columns, Mapping):
        raise WorkbenchError('Columns are an object, such as {"text": "sentence"}.', field="columns")
    for role, column in (columns or {}).items():
        if not isinstance(role, str) or not isinstance(column, str | None):
            raise WorkbenchError(f"The column for {str(role)[:40]} is given by its name.", field="columns")
        check_characters(f"{role}{column}", "columns")


class Data:
    """Looks into data sources. Tables are parsed in the worker, never in this process."""

    def __init__(self, settings: Settings, hub: Hub, engine: Engine) -> None:
        self.settings = settings
        self.hub = hub
        self.engine = engine

    def inspect(
        self,
        source: dict[str, Any],
        columns: dict[str, str] | None = None,
        task: str | None = None,
        model: str | None = None,
        revision: str | None = None,
        options: dict[str, Any] | None = None,
        *,
        visitor: Visitor,
    ) -> dict[str, Any]:
        """What a source holds, what is wrong with it for a task, and how a model would read it.

        Args:
            source: `{"dataset": id, "revision": commit or None, "config": name or None, "split": the one to train on
                or None}`,
                `{"file": path of an upload, "name": its original name}`, `{"text": pasted CSV}`, or `{"files": paths,
                "names": names, "splits": splits}`: tables of one format, each of the split `train`, `validation` or
                `test` (as their names say where no splits are given), or images.
            columns: The columns chosen, by the task's roles; those not given are guessed.
            task: A task that can be trained; text-classification if not given.
            model: Id of the model whose tokenizer measures and shows the rows.
            revision: Its commit, branch or tag.
            options: Settings of a run that decide about its rows: `problem`, `remedies`, `validation`, `seed`,
                `max_length`, `max_target_length`, `learn` and the others of `RunSpec`.

        Returns:
            `columns`: `[{name, kind, distinct, missing, examples}]`, kind one of `worker.columns.Kind`;
            `suggested`: the column of each role, chosen or guessed, or None; `roles`: `[{role, title, required,
            instead}]`; `problem`: what the labels are; `splits`: rows by split name; `rows`: the first 20;
            `labels`: `[{label, count}]`, of numbers in ranges; `problems`: `[{level, field, message, fix, remedy}]`,
            level one of error, warning, info, remedy None or `{name, label, effect, changes}`, whose `changes` are
            settings of the run (of these options) that do it; `lengths`: words a text, `{unit, median, p95, longest,
            histogram}`; `tokens`: the same in tokens with `limit`, `cut` (share), `measured` of `rows`, and `target`
            or `total` where the task has them, None without a model; `preview`: the first rows as the model reads
            them, `[{raw, tokens, labels, target}]`; `split`: `{train, validation, test, how, fingerprint}` as a run
            with these settings would have it, None if there can be none; `source`: the source at a fixed revision.

        Raises:
            WorkbenchError: The source is not there, or cannot be read at all; a setting is not right.
        """
        check_columns(columns)
        spec = self._spec(columns, task, model, options)
        fixed, local = self.resolve(source, visitor=visitor)
        reader = None
        if model and spec.task != "image-classification":
            path = self.hub.tokenizer(model, revision, visitor=visitor).path
            reader = {"path": str(path), "name": model, "tokens": self.settings.sequence_tokens}
        arguments = {
            "source": local,
            "columns": {role: column for role, column in spec.columns.items() if column},
            "caps": self.caps(),
            "task": spec.task,
            "model": reader,
            "options": {key: value for key, value in spec.to_dict().items() if key not in _OWN},
        }
        seen: dict[str, Any] = self.engine.call("inspect_data", arguments, visitor=visitor)
        return {**seen, "source": fixed}

    def _spec(
        self, columns: Mapping[str, str] | None, task: str | None, model: str | None, options: dict[str, Any] | None
    ) -> RunSpec:
        """The settings of a run, checked, with some data and model where it is not about them."""
        if not isinstance(options, Mapping | None):
            raise WorkbenchError('Options are an object, such as {"seed": 1}.', field="options")
        given = {"task": task or "text-classification", "model": model or "-", "data": {"text": "-"}}
        return RunSpec.from_dict({**(options or {}), **given, "columns": dict(columns or {})}, self.settings)

    def resolve(self, source: dict[str, Any], *, visitor: Visitor) -> tuple[dict[str, Any], dict[str, Any]]:
        """The source with its revision fixed to a commit, and where it lies on this machine."""
        kind = self._kind(source)
        value = source[kind]
        if kind == "files":
            files = self._files(value, source.get("names"), source.get("splits"))
            return files, files
        if not isinstance(value, str) or not value.strip():
            raise WorkbenchError("There is no data yet. Paste rows, upload a file or name a data set.", field="data")
        for name in ("config", "split", "name"):
            if not isinstance(source.get(name), str | None):
                raise WorkbenchError(f"The {name} of the data is given as text.", field="data")
            check_characters(source.get(name) or "", "data")
        if kind == "dataset":
            return self._on_hub(source, visitor)
        if kind == "text":
            if len(value) > self.settings.upload_bytes:
                raise WorkbenchError("The pasted text is too long. Upload it as a file.", field="data")
            check_characters(value, "data")
            return {"text": value}, {"text": value}
        path = _uploaded(value)
        if path.stat().st_size > self.settings.upload_bytes:
            raise WorkbenchError(
                f"The file has {in_units(path.stat().st_size)}; the limit is "
                f"{in_units(self.settings.upload_bytes)}. Use fewer rows.",
                field="data",
            )
        name = Path(str(source.get("name") or path.name).replace("\\", "/")).name
        named = {"file": value, "name": name if len(name) <= 100 else f"{name[:60]}…{name[-20:]}"}
        return named, named

    def _on_hub(self, source: Mapping[str, Any], visitor: Visitor) -> tuple[dict[str, Any], dict[str, Any]]:
        """A data set of the Hub, of which only the files of one configuration are fetched."""
        config, split = source.get("config") or None, source.get("split") or None
        splits: dict[str, list[str]] = {}

        def choose(folder: Path, files: list[str]) -> list[str]:
            asked = {"folder": str(folder), "files": files, "config": config, "split": split}
            splits.update(self.engine.call("choose_files", asked))
            return [name for paths in splits.values() for name in paths]

        snapshot = self.hub.dataset(source["dataset"], source.get("revision"), choose, visitor=visitor)
        chosen = {"config": config, **({"split": split} if split else {})}
        fixed = {"dataset": snapshot.id, "revision": snapshot.commit, **chosen}
        return fixed, {"folder": str(snapshot.path), "splits": splits, **chosen}

    def list_configs(self, dataset: str, revision: str | None = None, *, visitor: Visitor) -> dict[str, Any]:
        """The configurations of a data set on the Hub and the splits of each, from its card and its file names.

        Args:
            dataset: Its id.
            revision: A commit, branch or tag; the newest if not given.

        Returns:
            `dataset`; `revision`, a commit; `configs`: `[{name, default, splits, train, bytes}]`, of which the one with
            an empty name stands for the files of all folders together, and `train` is the split that is trained on
            unless another is chosen; `left_out`: how many more there are.
        """
        card, files = self.hub.dataset_card(dataset, revision, visitor=visitor)
        listed = self.engine.call("list_configs", {"folder": str(card.path), "files": files})
        return {"dataset": card.id, "revision": card.commit, **listed}

    def caps(self) -> dict[str, int]:
        """The limits of a table, as the worker takes them."""
        most = self.settings
        return {"bytes": most.upload_bytes, "rows": most.data_rows, "pixels": most.image_pixels}

    def _files(self, paths: Any, names: Any, splits: Any) -> dict[str, list[str]]:
        """Uploaded tables or images, checked; a name may hold the folders that it came in."""
        if not isinstance(paths, list) or not paths or not all(isinstance(path, str) for path in paths):
            raise WorkbenchError("There are no files yet. Upload some, or name a data set.", field="data")
        names = names or [Path(path).name for path in paths]
        if not isinstance(names, list) or len(names) != len(paths) or not all(isinstance(one, str) for one in names):
            raise WorkbenchError("The names of the files are a list of as many texts as there are files.", field="data")
        if len(paths) > self.settings.data_images:
            raise WorkbenchError(
                f"These are {len(paths):,} files; at most {self.settings.data_images:,} are taken here. Use fewer.",
                field="data",
            )
        names = [_plain(name) for name in names]
        name, times = Counter(names).most_common(1)[0]
        if times > 1:
            raise WorkbenchError(f"{times} files are called {name}. Give each a name of its own.", field="data")
        size = sum(_uploaded(path).stat().st_size for path in paths)
        if size > self.settings.upload_bytes:
            raise WorkbenchError(
                f"The files have {in_units(size)}; the limit is {in_units(self.settings.upload_bytes)}. "
                "Use fewer or smaller ones.",
                field="data",
            )
        if any(map(is_image, names)):
            _check_images(names, splits)
            return {"files": paths, "names": names}
        return {"files": paths, "names": names, **_check_tables(names, splits)}

    @staticmethod
    def _kind(source: Any) -> str:
        kinds = [kind for kind in SOURCES if kind in source] if isinstance(source, Mapping) else []
        if len(kinds) != 1:
            raise WorkbenchError(DATA, field="data")
        return kinds[0]


def _check_images(names: list[str], splits: Any) -> None:
    if other := sorted(set(names) - set(image_files(names))):
        raise WorkbenchError(
            f"{other[0]} is no image. Upload PNG, JPEG or WebP files, and a metadata.csv beside them if you like.",
            field="data",
        )
    if splits is not None:
        raise WorkbenchError("The splits of images are told by the folders that they came in.", field="data")


def _check_tables(names: list[str], splits: Any) -> dict[str, list[str]]:
    """The splits of uploaded tables, where they are given; their names must agree with each other."""
    if splits is not None and (
        not isinstance(splits, list) or len(splits) != len(names) or any(one not in list(SPLIT_NAMES) for one in splits)
    ):
        raise WorkbenchError(f"The splits of the files are a list of: {', '.join(SPLIT_NAMES)}.", field="data")
    first = names[0]
    if other := next((name for name in names if table_format(name) != table_format(first)), None):
        raise WorkbenchError(
            f"{first} and {other} are of two formats. Save all of them as CSV, JSON Lines or Parquet.", field="data"
        )
    splits_of(names, splits)
    return {"splits": splits} if splits else {}


def _uploaded(path: str) -> Path:
    if len(path) > PATH_CHARS or not Path(path).is_file():
        raise WorkbenchError("The uploaded file is no longer there. Upload it again.", field="data")
    return Path(path)


def _plain(name: str) -> str:
    """The name of an upload with the folders that it came in, none of which leads elsewhere."""
    check_characters(name, "data")
    parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    return "/".join(parts)[-PATH_CHARS:]
