"""Scripts for language models: the next token, or masked ones, of texts that are joined and cut into blocks."""

from __future__ import annotations

from components.service.snippets.finetune.labels import chosen
from components.service.snippets.finetune.recipe import Plan, Recipe

_AUTO = {"text-generation": "AutoModelForCausalLM", "fill-mask": "AutoModelForMaskedLM"}


def language(plan: Plan) -> Recipe:
    """Blocks of one length, whose loss is counted by tokens."""
    columns = plan.spec["columns"]
    masks = plan.task == "fill-mask"
    model = _AUTO[plan.task]
    return Recipe(
        metric=chosen(plan, ("loss", "perplexity")),
        columns={"TEXT": columns.get("text", "text")},
        rows=_ROWS,
        group="None",
        model=MODEL.replace("AutoModel", model),
        inputs=(_ROOM + _MASKED_BLOCKS if masks else _BLOCKS)
        + _JOINED
        + _PADDED
        + (_MASKS if masks else _COLLATE)
        + losses(ahead=0 if masks else 1)
        + FIGURES,
        names=(model, "AutoTokenizer", *(["DataCollatorForLanguageModeling"] if masks else [])),
        imports=(
            "import math",
            "import numpy as np",
            "from torch.nn.functional import cross_entropy",
            "from torch.nn.utils.rnn import pad_sequence",
        ),
        kept="token_losses",
        grouped=False,
        lengths=128,
        held="mask_once" if masks else "encode",
        by_tokens=not masks,
    )


def losses(*, ahead: int) -> str:
    """Defines `token_losses`; each token is foreseen so many places ahead."""
    if not ahead:
        return _LOSSES.format(about="", shown="logits", right="labels")
    about = "; each is foreseen at the place before it"
    return _LOSSES.format(about=about, shown="logits[:, :-1]", right="labels[:, 1:]")


_ROWS = '''
def rows_of(split):
    """The rows that have a text."""
    rows = [{"text": str(row[TEXT] or "")} for row in split]
    return [row for row in rows if row["text"].strip()]'''

#: Loads the tokenizer and the model, whose `AutoModel` is to be named.
MODEL = """tokenizer = AutoTokenizer.from_pretrained(MODEL, revision=REVISION)
set_seed(SEED)
model = AutoModel.from_pretrained(MODEL, revision=REVISION, dtype=torch.float32)"""

_BLOCKS = '''
BLOCK = min(MAX_LENGTH, tokenizer.model_max_length)
END = tokenizer.eos_token_id if tokenizer.eos_token_id is not None else tokenizer.sep_token_id


def encode(rows):
    """Blocks of one length, cut from the texts joined by the end-of-text token."""
    return [{"input_ids": block} for block in cut(joined(rows, special=True), BLOCK) if len(block) > 1]
'''

_ROOM = """
FIRST = [] if tokenizer.cls_token_id is None else [tokenizer.cls_token_id]
LAST = [] if tokenizer.sep_token_id is None else [tokenizer.sep_token_id]
BLOCK = min(MAX_LENGTH, tokenizer.model_max_length) - len(FIRST + LAST)
END = tokenizer.eos_token_id if tokenizer.eos_token_id is not None else tokenizer.sep_token_id

"""
_MASKED_BLOCKS = '''
def encode(rows):
    """Blocks of one length, cut from the texts joined by the end-of-text token, between the special tokens."""
    return [{"input_ids": [*FIRST, *block, *LAST]} for block in cut(joined(rows, special=False), BLOCK)]
'''

_JOINED = '''

def joined(rows, special):
    """The ids of all texts, each with the end-of-text token after it."""
    ids = []
    for row in rows:
        text = tokenizer(row["text"], add_special_tokens=special, verbose=False)["input_ids"]
        ids += text if END is None or text[-1:] == [END] else [*text, END]
    return ids


def cut(ids, size):
    """Pieces of one size; of the last one, no less than an eighth is worth a place in a batch."""
    pieces = [ids[start : start + size] for start in range(0, len(ids), size)]
    return pieces[:-1] if len(pieces) > 1 and len(pieces[-1]) * 8 < size else pieces
'''

_PADDED = '''

def padded(blocks):
    """A batch as long as its longest block; what is filled up is neither looked at nor learned."""
    pad = next((i for i in (tokenizer.pad_token_id, END) if i is not None), 0)
    ids = [torch.tensor(block) for block in blocks]
    return {
        "input_ids": pad_sequence(ids, batch_first=True, padding_value=pad),
        "attention_mask": pad_sequence([torch.ones_like(one) for one in ids], batch_first=True),
        "labels": pad_sequence(ids, batch_first=True, padding_value=-100),
    }
'''

_COLLATE = '''

def collate(examples):
    """A batch; its labels are the ids, which the model shifts by one itself."""
    return padded([example["input_ids"] for example in examples])
'''

_MASKS = '''

def masked(examples, masker):
    """A batch with 15 % of its tokens masked, and of each block at least one."""
    batch = padded([example["input_ids"] for example in examples])
    special = torch.isin(batch["input_ids"], torch.tensor(tokenizer.all_special_ids))
    ids, labels = masker.torch_mask_tokens(batch["input_ids"].clone(), special)
    for row in (labels == -100).all(1).nonzero().flatten().tolist():
        words = (~special[row]).nonzero().flatten()
        if len(words):
            place = words[len(words) // 2]
            labels[row, place], ids[row, place] = ids[row, place].item(), tokenizer.mask_token_id
    return {**batch, "input_ids": ids, "labels": labels}


def mask_once(rows):
    """Blocks to evaluate on, masked once and for all: figures of later evaluations can be compared."""
    masker = DataCollatorForLanguageModeling(tokenizer, seed=SEED)
    masker.create_rng()
    batches = [masked([example], masker) for example in encode(rows)]
    return [{name: batch[name][0].tolist() for name in ("input_ids", "labels")} for batch in batches]


def collate(examples):
    """A batch to train on, masked anew each time; or one to evaluate on."""
    if "labels" not in examples[0]:
        return masked(examples, DataCollatorForLanguageModeling(tokenizer))
    labels = [torch.tensor(example["labels"]) for example in examples]
    batch = padded([example["input_ids"] for example in examples])
    return {**batch, "labels": pad_sequence(labels, batch_first=True, padding_value=-100)}
'''

_LOSSES = '''

def token_losses(logits, labels):
    """The summed loss of each example and its number of tokens, (examples, 2){about}."""
    logits = logits[0] if isinstance(logits, tuple) else logits
    right = {right}
    losses = cross_entropy({shown}.float().transpose(1, 2), right, reduction="none")
    return torch.stack([losses.sum(1), (right != -100).sum(1)], 1)
'''

#: Defines `figures` from what `token_losses` gives.
FIGURES = '''

def figures(predictions, gold):
    """Loss of a token, all tokens alike, and perplexity."""
    losses, tokens = np.array(predictions, dtype=float).sum(0)
    return {"loss": losses / tokens, "perplexity": math.exp(losses / tokens)}'''
