"""From a snapshot folder to a loaded model, and the cache of those in use."""

from __future__ import annotations

import copy
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers import Pipeline, PretrainedConfig, PreTrainedModel, PreTrainedTokenizerBase
from transformers.decision.configuration_utils import DecisionConfig
from transformers.decision.modeling_utils import DecisionMixin

from components.service.errors import WorkbenchError
from components.service.settings import Settings
from components.service.tasks import TaskSpec
from components.service.worker import fit, precision
from components.service.worker.blame import blaming
from components.service.worker.building import BUILDING
from components.service.worker.processors import load_parts, load_tokenizer
from components.service.worker.revived import pipeline_class
from components.service.worker.runners.shared import Writing
from components.service.worker.structure import Structure

_TOKENIZERS = 16
#: Models of which all but the weights is kept, and most bytes of their tokenizers' files: in memory they take some
#: eleven times as much.
_ASIDE, _ASIDE_FILES = 16, 32_000_000
#: The part of the worker's memory that the weights of such a model may take: to be found in its files, they are mapped
#: a second time.
_FOUND_SHARE = 0.25
_UNLIMITED = 10**9

Key = tuple[str, int, str]


@dataclass
class Loaded:
    """A model with what prepares its inputs, in the pipeline of its task.

    Attributes:
        name: The model's id, for sentences.
        task: The name of the task.
        pipe: transformers' own pipeline around them, or one that this project brings back.
        auto_class: The transformers Auto class that loaded the model.
        bytes: Memory of the weights.
        stored: The type of the weights in the files, as safetensors names it.
        seconds: How long loading took.
        untrained: Weights that no file holds and that are random therefore; nothing asks for them by itself.
        told: What visitors are told of the type that it computes in; empty where that is no news.
        takes_padding: Whether a padded text gets the answer that it gets alone; None before that was tried.
        structure: The model without its weights.
        small: Size of its files without the weights, in bytes.
        writing: How its texts are written, several at a time.
        lock: Held while the tokenizer works: a fast tokenizer keeps its truncation in itself.
    """

    name: str
    task: str
    pipe: Pipeline
    auto_class: str
    bytes: int
    stored: str
    seconds: float
    structure: Structure
    small: int
    untrained: tuple[str, ...] = ()
    told: str = ""
    takes_padding: bool | None = None
    writing: Writing = field(default_factory=Writing)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def model(self) -> PreTrainedModel:
        """The model, in evaluation mode."""
        return self.pipe.model

    @property
    def tokenizer(self) -> Any:
        """Its tokenizer; None of a model that reads no text."""
        return self.pipe.tokenizer

    @property
    def dtype(self) -> str:
        """The type that it computes in, as torch names it."""
        return str(self.model.dtype).removeprefix("torch.")

    @property
    def device(self) -> str:
        """Where it computes: `cpu` or `cuda:0`."""
        return str(self.model.device)

    def facts(self) -> dict[str, Any]:
        """What every result states about how it came about."""
        return {
            "device": self.device,
            "dtype": self.dtype,
            "stored_dtype": self.stored,
            "auto_class": self.auto_class,
        }


class Models:
    """Models by (folder, time of its weights, task); the weights of the least recently used leave when room is needed.

    All else of a model stays for a while: to load it again is to read its weights, which takes a fraction of the time.

    Args:
        settings: `cache_bytes` and `model_bytes`.
        report: Told what is held, after each change.
    """

    def __init__(self, settings: Settings, report: Callable[[list[dict[str, Any]]], None]) -> None:
        self._settings = settings
        self._report = report
        self._lock = threading.Lock()
        self._loading: dict[Key, threading.Lock] = {}
        self._held: OrderedDict[Key, Loaded] = OrderedDict()
        self._aside: OrderedDict[Key, Loaded] = OrderedDict()
        self._tokenizers: OrderedDict[tuple[str, int], tuple[PreTrainedTokenizerBase, threading.Lock]] = OrderedDict()

    def load(self, path: str, spec: TaskSpec, name: str) -> tuple[Loaded, float]:
        """The model in `path` with the head for the task, and the seconds it took now (0 where it was held).

        Raises:
            WorkbenchError: It is of another kind, too large, broken, or without a tokenizer.
        """
        key = (path, _changed(Path(path)), spec.name)
        with self._lock:
            turn = self._loading.setdefault(key, threading.Lock())
        try:
            with turn:
                if (held := self._touch(key)) is not None:
                    return held, 0.0
                loaded = self._again(key, name) or self._open(Path(path), spec, name)
                self._keep(key, loaded)
                return loaded, loaded.seconds
        finally:
            with self._lock:
                self._loading.pop(key, None)

    def tokenizer(self, path: str, name: str) -> tuple[PreTrainedTokenizerBase, threading.Lock]:
        """The tokenizer in `path`, and the lock to hold while it works."""
        key = (path, _changed(Path(path)))
        with self._lock:
            if key in self._tokenizers:
                self._tokenizers.move_to_end(key)
                return self._tokenizers[key]
        found = (load_tokenizer(Path(path), name), threading.Lock())
        with self._lock:
            self._tokenizers[key] = found
            while len(self._tokenizers) > _TOKENIZERS:
                self._tokenizers.popitem(last=False)
        return found

    def clear(self) -> None:
        """Let go of everything."""
        with self._lock:
            for one in self._held.values():
                one.writing.end()
            self._held.clear()
            self._aside.clear()
            self._tokenizers.clear()
        self._tell()

    def _touch(self, key: Key) -> Loaded | None:
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
            return self._held.get(key)

    def _keep(self, key: Key, loaded: Loaded) -> None:
        with self._lock:
            self._held[key] = loaded
        self._tell()

    def _make_room(self, needed: int) -> None:
        while (oldest := self._oldest(needed)) is not None:
            key, one = oldest
            one.writing.end()
            if one.bytes <= _FOUND_SHARE * self._settings.worker_bytes and one.structure.find(one.model):
                self._put_aside(key, replace(one, pipe=_with(one.pipe, None), writing=Writing()))
        self._tell()

    def _oldest(self, needed: int) -> tuple[Key, Loaded] | None:
        """Take out the model that has to go next for `needed` bytes to have room, if one has to."""
        with self._lock:
            if self._held and sum(one.bytes for one in self._held.values()) + needed > self._settings.cache_bytes:
                return self._held.popitem(last=False)
        return None

    def _put_aside(self, key: Key, one: Loaded) -> None:
        """Keep a model without its weights, and as many of those before it as there is room for."""
        with self._lock:
            self._aside[key] = one
            while len(self._aside) > _ASIDE or sum(each.small for each in self._aside.values()) > _ASIDE_FILES:
                self._aside.popitem(last=False)

    def _again(self, key: Key, name: str) -> Loaded | None:
        """A model that was put aside, with its weights."""
        begun = time.perf_counter()
        with self._lock:
            one = self._aside.pop(key, None)
        if one is None:
            return None
        self._make_room(one.bytes)
        with blaming(f"A weight file of {name} is broken. Choose another model or revision.", field="model"):
            model = one.structure.fill(one.pipe.device)
        return replace(one, name=name, pipe=_with(one.pipe, model), seconds=time.perf_counter() - begun)

    def _tell(self) -> None:
        with self._lock:
            held = [{"model": one.name, "task": one.task, "bytes": one.bytes} for one in self._held.values()]
        self._report(held)

    def _open(self, path: Path, spec: TaskSpec, name: str) -> Loaded:
        begun = time.perf_counter()
        config = fit.read_config(path, name)
        auto_class = fit.check_head(config, spec, name)
        kind = pipeline_class(spec.name)
        parts = load_parts(path, name, kind)
        if spec.name == "fill-mask":
            fit.check_mask(parts["tokenizer"], name)
        held, stored = fit.stored(path, name)
        device, dtype, told = self._choose(spec, config, held, stored)
        itemsize = torch.empty((), dtype=dtype).element_size()
        needed = fit.check_size(config, auto_class, held, itemsize, self._settings.model_bytes, name)
        self._make_room(needed)
        model, untrained = _load_weights(path, spec, auto_class, config, dtype, name)
        model = model.to(device)
        with blaming(
            f"{name} cannot be used for {spec.name}: transformers' pipeline for it does not take such a model. "
            "Choose another one.",
            field="model",
        ):
            pipe = kind(model=model, task=spec.name, device=device, **parts)
        structure, seconds = Structure(model, path), time.perf_counter() - begun
        small = _small(path)
        return Loaded(name, spec.name, pipe, auto_class, needed, stored, seconds, structure, small, untrained, told)

    def _choose(
        self, spec: TaskSpec, config: PretrainedConfig, held: int, stored: str
    ) -> tuple[torch.device, torch.dtype, str]:
        """Where to compute, in what type, and what is to be said of it: on a GPU as the weights are stored; on a
        processor in float32, but for what `precision` finds to be worth bfloat16."""
        if torch.cuda.is_available():
            halves = {"F16": torch.float16, "BF16": torch.bfloat16}
            return torch.device("cuda", 0), halves.get(stored, torch.float32), ""
        told = precision.told(self._settings, spec.name, config.model_type, held)
        return torch.device("cpu"), torch.bfloat16 if told else torch.float32, told


def _changed(path: Path) -> int:
    """When the folder's files last changed: a run that is resumed writes its model again in the same place."""
    return max((file.stat().st_mtime_ns for file in path.iterdir() if file.is_file()), default=0)


def _small(path: Path) -> int:
    """Bytes of the files that a tokenizer and a configuration are read from."""
    return sum(file.stat().st_size for file in path.iterdir() if file.suffix in {".json", ".txt", ".model", ".spm"})


def _with(pipe: Pipeline, model: PreTrainedModel | None) -> Pipeline:
    """The same pipeline around another model of the same structure, or none as yet."""
    made = copy.copy(pipe)
    made.model = model
    return made


def _load_weights(
    path: Path, spec: TaskSpec, auto_class: str, config: PretrainedConfig, dtype: torch.dtype, name: str
) -> tuple[PreTrainedModel, tuple[str, ...]]:
    with (
        BUILDING,
        blaming(
            f"The weights of {name} do not fit its config.json, or a file of it is broken. Choose another model.",
            field="model",
        ),
    ):
        model, report = _loading(auto_class, config)(
            path,
            config=config,
            dtype=dtype,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            output_loading_info=True,
        )
    if missing := sorted(key for key in report["missing_keys"] if not fit.unused(key, auto_class)):
        raise WorkbenchError(
            f"The files of {name} lack weights that a {spec.name} model needs ({', '.join(missing[:3])}): "
            "they would be random. Choose a model that was trained for this task.",
            field="model",
        )
    return model.eval(), tuple(sorted(report["missing_keys"]))


def _loading(auto_class: str, config: PretrainedConfig) -> Callable[..., tuple[PreTrainedModel, dict[str, Any]]]:
    """What loads the model and reports which of its weights no file held."""
    kind = getattr(transformers, auto_class)
    if auto_class != "AutoModelForDecision":
        load: Callable[..., tuple[PreTrainedModel, dict[str, Any]]] = kind.from_pretrained
        return load
    # transformers 5.23 sets a decision model's own settings on what its loading gives, which breaks on a report.
    found = kind._model_mapping[type(config)]

    def decision(path: Path, **options: Any) -> tuple[PreTrainedModel, dict[str, Any]]:
        del options["trust_remote_code"]  # known to the Auto classes alone
        model, report = super(DecisionMixin, found).from_pretrained(path, **options)
        model.decision_config = DecisionConfig.from_pretrained(path)
        return model, report

    return decision


def context(loaded: Loaded) -> int | None:
    """Most tokens that the model reads at once, or None where nothing says so.

    Where position 0 is kept for padding (RoBERTa and its kin), the positions table is that much longer than the
    longest text.
    """
    limits = [] if loaded.tokenizer is None else [loaded.tokenizer.model_max_length]
    config = loaded.model.config
    try:
        positions = getattr(config.get_text_config(), "max_position_embeddings", None)
    except ValueError:  # several parts of the model read text or the like, so that no one limit holds
        positions = None
    if isinstance(positions, int) and positions > 0:
        limits.append(positions - _reserved(loaded.model))
    known = [limit for limit in limits if limit < _UNLIMITED]
    return min(known) if known else None


def _reserved(model: PreTrainedModel) -> int:
    for path, module in model.named_modules():
        if path.endswith("position_embeddings") and isinstance(module, torch.nn.Embedding):
            return 0 if module.padding_idx is None else module.padding_idx + 1
    return 0
