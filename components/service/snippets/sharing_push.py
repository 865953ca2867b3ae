"""The actions of sharing with `push_to_hub`, the method of models, tokenizers, data sets, cards and the Trainer."""

from __future__ import annotations

from collections.abc import Callable

from components.service.snippets.code import literal
from components.service.snippets.names import Names


def _push_model(names: Names) -> str:
    if names.repo_type == "dataset":
        return _push_data(names)
    repo = literal(names.repo)
    return (
        "from transformers import AutoModel, AutoTokenizer\n\n"
        f"folder = {literal(names.folder)}  # where save_pretrained or the Trainer left the model\n"
        "model = AutoModel.from_pretrained(folder)  # with the Auto class of its task, or the model in memory\n"
        "tokenizer = AutoTokenizer.from_pretrained(folder)\n\n"
        f"model.push_to_hub({repo}, private={names.private})\n"
        f"commit = tokenizer.push_to_hub({repo})\nresult = commit.oid\nprint(result)\n\n"
        "# While training, at each save and with a card:\n"
        f'# TrainingArguments(..., push_to_hub=True, hub_model_id={repo}, save_strategy="epoch")\n'
        "# trainer.push_to_hub()"
    )


def _push_data(names: Names) -> str:
    return (
        "from datasets import load_dataset\n\n"
        f'data = load_dataset("csv", data_files={literal(names.file)})\n'
        f"commit = data.push_to_hub({literal(names.repo)}, private={names.private})\nresult = commit.oid\nprint(result)"
    )


def _upload_file(names: Names) -> str:
    if names.repo_type == "dataset":
        return _push_data(names)
    return (
        "from transformers import AutoTokenizer\n\n"
        f"tokenizer = AutoTokenizer.from_pretrained({literal(names.folder)})  # its files alone, without weights\n"
        f"commit = tokenizer.push_to_hub({literal(names.repo)}, private={names.private})\n"
        "result = commit.oid\nprint(result)"
    )


def _card(names: Names) -> str:
    card = "DatasetCard" if names.repo_type == "dataset" else "SpaceCard" if names.repo_type == "space" else "ModelCard"
    return (
        f"from huggingface_hub import {card}\n\n"
        f'card = {card}("---\\nlicense: mit\\n---\\n# {{}}\\n".format({literal(names.name)}))\n'
        f"commit = card.push_to_hub({literal(names.repo)}{names.kind})\nresult = str(commit)\nprint(result)"
    )


def _clone(names: Names) -> str:
    if names.repo_type == "dataset":
        return (
            f"from datasets import load_dataset\n\ndata = load_dataset({literal(names.repo)})\n"
            "result = sorted(data)\nprint(data)"
        )
    return (
        "from transformers import AutoModel, AutoTokenizer\n\n"
        f"tokenizer = AutoTokenizer.from_pretrained({literal(names.repo)})\n"
        f"model = AutoModel.from_pretrained({literal(names.repo)})  # or the Auto class of its task\n"
        "result = model.config.model_type\nprint(model.config)"
    )


def _branch(names: Names) -> str:
    return (
        "from transformers import AutoTokenizer\n\n"
        f"tokenizer = AutoTokenizer.from_pretrained({literal(names.repo)})\n"
        f"commit = tokenizer.push_to_hub({literal(names.repo)}, revision={literal(names.branch)})\n"
        "result = commit.oid\nprint(result)"
    )


LINES: dict[str, Callable[[Names], str]] = {
    "create_repo": _push_model,
    "upload_file": _upload_file,
    "upload_folder": _push_model,
    "push_model": _push_model,
    "card": _card,
    "clone": _clone,
    "pull": _clone,
    "push": _push_model,
    "branch": _branch,
}
