"""What the Hub tells about a repository: card, task, library, tags, files, parameters."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from components.cardrules.values import plain, text
from components.localhub import cards
from components.localhub.files import large_facts
from components.localhub.history import commit_time
from components.localhub.repositories import MAIN, Repository

MOST_PARAMETERS = 10**15
CONFIG_BYTES = 5 * 1024**2
HEADER_BYTES = 25 * 1024**2
_WEIGHTS = {
    ".safetensors": "safetensors",
    ".gguf": "gguf",
    ".onnx": "onnx",
    "pytorch_model.bin": "pytorch",
    "tf_model.h5": "tf",
    "flax_model.msgpack": "jax",
}
_FORMATS = {".csv": "csv", ".tsv": "csv", ".jsonl": "json", ".json": "json", ".parquet": "parquet", ".txt": "text"}
#: End of an architecture's name -> the task that the Hub assumes.
_TASKS = {
    "ForSequenceClassification": "text-classification",
    "ForTokenClassification": "token-classification",
    "ForQuestionAnswering": "question-answering",
    "ForMultipleChoice": "multiple-choice",
    "ForMaskedLM": "fill-mask",
    "ForCausalLM": "text-generation",
    "LMHeadModel": "text-generation",
    "ForConditionalGeneration": "text2text-generation",
    "ForImageClassification": "image-classification",
    "ForObjectDetection": "object-detection",
    "ForSemanticSegmentation": "image-segmentation",
    "ForAudioClassification": "audio-classification",
    "ForCTC": "automatic-speech-recognition",
    "ForSpeechSeq2Seq": "automatic-speech-recognition",
    "Model": "feature-extraction",
}


@dataclass(frozen=True)
class Facts:
    """What follows from the files of one commit."""

    last_modified: str
    files: list[str]
    card: dict[str, Any] | None = None
    config: dict[str, Any] | None = None
    library: str | None = None
    task: str | None = None
    tags: list[str] = field(default_factory=list)
    safetensors: dict[str, Any] | None = None


def facts(repository: Repository, commit: str) -> Facts:
    """What follows from the files of that commit; read once."""
    return _read_facts(_Key(repository, commit))


@dataclass(frozen=True)
class _Key:
    """A commit of a repository, compared by place and id."""

    repository: Repository = field(compare=False)
    commit: str
    path: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", str(self.repository.path))


@lru_cache(maxsize=2048)
def _read_facts(key: _Key) -> Facts:
    repository, commit = key.repository, key.commit
    found = repository.objects.commit(commit)
    assert found is not None
    files = [entry.path for entry in repository.files(commit)]
    card = _card(repository.text(commit, "README.md"))
    config = _json(repository, commit, "config.json") if repository.kind == "models" else None
    library = _library(files, card, config)
    task = _task(card, config) if repository.kind == "models" else None
    return Facts(
        last_modified=commit_time(found),
        files=files,
        card=card,
        config=_brief_config(repository, commit, config),
        library=library,
        task=task,
        tags=_tags(repository.kind, files, card or {}, config, library, task),
        safetensors=_safetensors(repository, commit, files),
    )


def describe(repository: Repository, commit: str | None = None, *, blobs: bool = False) -> dict[str, Any]:
    """Everything that is known about a repository at a commit (its main branch if None), as the Hub's JSON."""
    commit = commit or repository.ref(MAIN) or ""
    known, about = facts(repository, commit), repository.about
    created = about["created"].replace("+00:00", "Z")
    described: dict[str, Any] = {
        "_id": _object_id(repository, created),
        "id": repository.id,
        "author": repository.namespace,
        "sha": commit,
        "lastModified": max(known.last_modified, created),  # git knows whole seconds only
        "createdAt": created,
        "private": about["private"],
        "gated": about.get("gated", False),
        "disabled": False,
        "downloads": repository.downloads,
        "downloadsAllTime": repository.downloads,
        "likes": len(about.get("likers", [])),
        "trendingScore": len(about.get("likers", [])),
        "tags": known.tags,
        "cardData": known.card,
        "siblings": _siblings(repository, commit, known, blobs=blobs),
    }
    if repository.kind == "models":
        described |= {"modelId": repository.id, "pipeline_tag": known.task, "library_name": known.library}
        described |= {"config": known.config, "safetensors": known.safetensors}
        described["model-index"] = (known.card or {}).get("model-index")
        if known.library == "transformers" and known.config:
            described["transformersInfo"] = {"auto_model": _auto_class(known.config), "pipeline_tag": known.task}
    if repository.kind == "spaces":
        described["sdk"] = (known.card or {}).get("sdk") or about.get("sdk")
    return {key: value for key, value in described.items() if value is not None}


def _auto_class(config: dict[str, Any]) -> str:
    """The Auto class for a configuration: `BertForMaskedLM` gives `AutoModelForMaskedLM`."""
    names = config.get("architectures")
    name = names[0] if isinstance(names, list) and names and isinstance(names[0], str) else ""
    return "AutoModel" + "".join(name.partition("For")[1:])


def _object_id(repository: Repository, created: str) -> str:
    return hashlib.sha256(f"{repository.kind}/{repository.id} {created}".encode()).hexdigest()[:24]


def _siblings(repository: Repository, commit: str, known: Facts, *, blobs: bool) -> list[dict[str, Any]]:
    if not blobs:
        return [{"rfilename": path} for path in known.files]
    siblings = []
    for entry in repository.files(commit):
        size, pointer = repository.facts(entry)
        item: dict[str, Any] = {"rfilename": entry.path, "size": size, "blobId": entry.oid}
        if pointer:
            lfs = large_facts(pointer)
            item["lfs"] = {"sha256": lfs["oid"], "size": lfs["size"], "pointerSize": lfs["pointerSize"]}
        siblings.append(item)
    return siblings


def _card(readme: str | None) -> dict[str, Any] | None:
    try:
        return cards.front_matter(readme or "")
    except ValueError:
        return None


def _json(repository: Repository, commit: str, path: str) -> dict[str, Any] | None:
    try:
        value = json.loads(repository.text(commit, path, limit=CONFIG_BYTES) or "null")
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _brief_config(repository: Repository, commit: str, config: dict[str, Any] | None) -> dict[str, Any] | None:
    if config is None:
        return None
    brief: dict[str, Any] = {key: config[key] for key in ("architectures", "model_type", "auto_map") if key in config}
    tokenizer = _json(repository, commit, "tokenizer_config.json") or {}
    kept = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token", "chat_template")
    brief["tokenizer_config"] = {key: tokenizer[key] for key in kept if tokenizer.get(key) is not None}
    try:
        return plain(brief)  # type: ignore[no-any-return]
    except ValueError:
        return None


def _library(files: list[str], card: dict[str, Any] | None, config: dict[str, Any] | None) -> str | None:
    named = (card or {}).get("library_name")
    if isinstance(named, str):
        return named
    if "adapter_config.json" in files:
        return "peft"
    if "modules.json" in files:
        return "sentence-transformers"
    return "transformers" if config and "model_type" in config else None


def _task(card: dict[str, Any] | None, config: dict[str, Any] | None) -> str | None:
    named = (card or {}).get("pipeline_tag")
    if isinstance(named, str):
        return named
    architectures = (config or {}).get("architectures")
    for name in architectures if isinstance(architectures, list) else []:
        for end, task in _TASKS.items():
            if isinstance(name, str) and name.endswith(end):
                return task
    return None


def _tags(
    kind: str,
    files: list[str],
    card: dict[str, Any],
    config: dict[str, Any] | None,
    library: str | None,
    task: str | None,
) -> list[str]:
    tags: list[Any] = [library, card.get("sdk") if kind == "spaces" else None]
    if kind == "models":
        tags += [tag for end, tag in _WEIGHTS.items() if any(path.endswith(end) for path in files)]
        tags += [(config or {}).get("model_type"), task, *_texts(card.get("tags")), *_texts(card.get("language"))]
        tags += _prefixed("dataset", card.get("datasets")) + _prefixed("base_model", card.get("base_model"))
        tags += ["model-index"] if card.get("model-index") else []
    else:
        keys = ("task_categories", "task_ids", "language", "multilinguality", "size_categories", "source_datasets")
        tags += [tag for key in keys for tag in _prefixed(key, card.get(key))] + _texts(card.get("tags"))
        tags += sorted(
            {f"format:{name}" for end, name in _FORMATS.items() if any(path.endswith(end) for path in files)}
        )
    tags += _prefixed("license", card.get("license")) + _prefixed("arxiv", card.get("arxiv")) + ["region:us"]
    return list(dict.fromkeys(text(tag) for tag in tags if isinstance(tag, str)))


def _texts(value: Any) -> list[str]:
    return [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, str)]


def _prefixed(prefix: str, value: Any) -> list[str]:
    return [f"{prefix}:{item}" for item in _texts(value)]


def _safetensors(repository: Repository, commit: str, files: Iterable[str]) -> dict[str, Any] | None:
    """Parameters by type and in all, counted from the headers of the weights at the root of the repository."""
    counts: dict[str, int] = {}
    shards = [path for path in files if path.endswith(".safetensors") and "/" not in path]
    if "model.safetensors" in shards:
        shards = ["model.safetensors"]
    for path in shards:
        for tensor in _header(repository, commit, path).values():
            if isinstance(tensor, dict) and isinstance(tensor.get("shape"), list) and "dtype" in tensor:
                sizes = [min(size, MOST_PARAMETERS) for size in tensor["shape"] if isinstance(size, int)][:8]
                name = text(str(tensor["dtype"]))[:20]
                counts[name] = min(counts.get(name, 0) + math.prod(sizes), MOST_PARAMETERS)
    return {"parameters": counts, "total": sum(counts.values())} if counts else None


def _header(repository: Repository, commit: str, path: str) -> dict[str, Any]:
    entry = repository.find(commit, path)
    assert entry is not None
    pointer = repository.facts(entry)[1]
    if pointer is None:
        data = repository.objects.data(entry.oid)
        length = int.from_bytes(data[:8], "little")
        header = data[8 : 8 + length]
    else:
        with repository.large_file(pointer.sha256).open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            header = stream.read(length) if length <= HEADER_BYTES else b""
    try:
        value = json.loads(header)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
