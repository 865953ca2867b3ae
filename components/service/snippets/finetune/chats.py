"""Scripts for language models that learn chats, each written as the tokenizer's own template has it."""

from __future__ import annotations

from components.service.snippets.finetune.inlined import inlined
from components.service.snippets.finetune.labels import chosen
from components.service.snippets.finetune.language import FIGURES, MODEL, language, losses
from components.service.snippets.finetune.recipe import Plan, Recipe

_MODEL = "AutoModelForCausalLM"


def text_generation(plan: Plan) -> Recipe:
    """Texts cut into blocks, or chats where there is a column of messages."""
    return _chats(plan) if plan.spec["columns"].get("messages") else language(plan)


def _chats(plan: Plan) -> Recipe:
    """An example for each chat; the loss is counted by tokens, all of them or those that the assistant says."""
    reading, imports = inlined("components.service.runs.cells", "messages_value")
    learned = _ASSISTANT if plan.spec["learn"] == "assistant" else _ALL
    return Recipe(
        metric=chosen(plan, ("loss", "perplexity")),
        columns={"MESSAGES": plan.spec["columns"]["messages"]},
        rows=reading + _ROWS,
        group="None",
        model=MODEL.replace("AutoModel", _MODEL),
        inputs=learned + _ENCODE + _COLLATE + losses(ahead=1) + FIGURES,
        names=(_MODEL, "AutoTokenizer"),
        imports=(
            *imports,
            "from jinja2 import TemplateError",
            "import math",
            "import numpy as np",
            "from torch.nn.functional import cross_entropy",
            "from torch.nn.utils.rnn import pad_sequence",
        ),
        kept="token_losses",
        by_tokens=True,
    )


_ROWS = '''


def rows_of(split):
    """The rows that have a chat."""
    rows = [{"messages": messages_value(row[MESSAGES])} for row in split]
    return [row for row in rows if row["messages"]]'''

_ALL = '''
def learned(chat, ids):
    """The ids that are learned: all of them."""
    return ids
'''

_ASSISTANT = '''
def learned(chat, ids):
    """The ids that the assistant says, between the template's marks of a generation; the loss passes over the others.

    Nothing is learned of a chat whose texts hold marks of the template itself.
    """
    marked = tokenizer.apply_chat_template(chat, return_dict=True, return_assistant_tokens_mask=True)
    said = zip(ids, marked["assistant_masks"]) if marked["input_ids"][: len(ids)] == ids else []
    return [token if by_assistant else -100 for token, by_assistant in said]
'''

_ENCODE = '''

def encode(rows):
    """Ids and labels of the chats that the template takes, where there is something to learn before the cut."""
    limit = min(MAX_LENGTH, tokenizer.model_max_length)
    examples = []
    for row in rows:
        try:
            # What people wrote stays text, also where it looks like a mark of the template.
            written = tokenizer.apply_chat_template(row["messages"], return_dict=True, sanitize_control_tokens=True)
        except TemplateError:
            continue
        ids = written["input_ids"][:limit]
        labels = learned(row["messages"], ids)
        if any(label != -100 for label in labels[1:]):  # the first is foreseen from nothing
            examples.append({"input_ids": ids, "labels": labels})
    return examples
'''

_COLLATE = '''

def collate(examples):
    """A batch as long as its longest chat; what is filled up is neither looked at nor learned."""
    ids, labels = ([torch.tensor(example[name]) for example in examples] for name in ("input_ids", "labels"))
    return {
        "input_ids": pad_sequence(ids, batch_first=True, padding_value=tokenizer.pad_token_id or 0),
        "attention_mask": pad_sequence([torch.ones_like(one) for one in ids], batch_first=True),
        "labels": pad_sequence(labels, batch_first=True, padding_value=-100),
    }
'''
