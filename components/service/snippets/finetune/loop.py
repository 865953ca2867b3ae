"""The part of a script that trains in a plain PyTorch loop: the batches, steps and figures that the Trainer has."""

from __future__ import annotations

import textwrap

from components.service.snippets.code import literal
from components.service.snippets.finetune.adapter import saving
from components.service.snippets.finetune.recipe import Plan, Recipe

_MATH, _DATA = "import math", "from torch.utils.data import DataLoader"


def with_loop(plan: Plan, recipe: Recipe) -> str:
    """Trains `model`, leaves the evaluation in `result`, and saves the model."""
    begin = _BEGIN.replace("HELD", recipe.held)
    half = _HALF if plan.dtype == "bf16" else ""
    batches = (_BY_LENGTH if recipe.grouped else _AT_RANDOM) + _BATCHES
    parts = [batches, _evaluate(recipe), _prepare(plan), _fit(plan, recipe), _end(plan, recipe)]
    if _by_labels(plan, recipe):
        parts.insert(2, _ASKED)
    return "\n\n".join([_constants(plan), begin + half, *parts])


def _by_labels(plan: Plan, recipe: Recipe) -> bool:
    """Whether it is the model that decides what the passes of a step count for."""
    return plan.spec["accumulation"] > 1 and recipe.target == "labels" and not recipe.by_tokens


def names() -> tuple[str, ...]:
    """What is imported from transformers for it."""
    return ("get_scheduler",)


def imports(plan: Plan, recipe: Recipe) -> list[str]:
    """Lines of imports that it needs."""
    sampler = "from transformers.trainer_pt_utils import LengthGroupedSampler"
    more = [sampler, _DATA] if recipe.grouped else [f"{_DATA}, RandomSampler"]
    return [_MATH, "import torch", *(["import copy"] if plan.best else []), *more]


def _constants(plan: Plan) -> str:
    spec = plan.spec
    values = {"EPOCHS": spec["epochs"], "BATCH_SIZE": spec["batch_size"], "LEARNING_RATE": spec["learning_rate"]}
    if spec["accumulation"] > 1:
        values["PASSES"] = spec["accumulation"]
    return "\n".join(f"{name} = {value!r}" for name, value in values.items())


def _evaluate(recipe: Recipe) -> str:
    """Defines `evaluate`."""
    whole = _EVALUATE_IN_ORDER.replace("GOLD", recipe.gold) if recipe.gold else _EVALUATE
    by_length = "list(by_length(examples, size, torch.Generator().manual_seed(SEED)))"
    order = by_length if recipe.grouped else "range(len(examples))"
    whole = whole.replace("LOSS", _WRITING if recipe.writes else _LOGITS).replace('"labels"', f'"{recipe.target}"')
    return whole.replace("ORDER", order).replace("KEPT", _kept(recipe))


def _kept(recipe: Recipe) -> str:
    if recipe.writes:
        return "ids.cpu().numpy()"
    if recipe.kept:
        return f'{recipe.kept}(outputs.logits, batch["labels"]).cpu().numpy()'
    return f"{recipe.outputs}.float().cpu().numpy()"


def _prepare(plan: Plan) -> str:
    """The optimizer and the schedule."""
    spec = plan.spec
    decay = spec["weight_decay"]
    weights = _DECAYED.replace("DECAY", repr(decay)) if decay else _WEIGHTS
    steps = "math.ceil(len(examples) / BATCH_SIZE)"
    if spec["accumulation"] > 1:
        steps = f"math.ceil({steps} / PASSES)"
    warmup = f"math.ceil({spec['warmup']!r} * steps)" if spec["warmup"] else "0"
    return f"""set_seed(SEED)  # the order of the rows and dropout are drawn from it
{weights}
steps = EPOCHS * {steps}
schedule = get_scheduler({literal(spec["schedule"])}, optimizer, {warmup}, steps)"""


def _fit(plan: Plan, recipe: Recipe) -> str:
    """Defines `update` and `fit`, which goes through the epochs."""
    spec = plan.spec
    by_steps, passes = spec["evaluate"] == "steps", spec["accumulation"] > 1
    judged = _judged(plan, recipe)
    by_tokens, by_labels = passes and recipe.by_tokens, _by_labels(plan, recipe)
    wanted = (
        (_KEPT, plan.best), (_BEST, judged), (_WAITED, spec["patience"]), (_COUNT, passes), (_NO_TOKENS, by_tokens),
        (_NOTHING, by_labels), (_ZERO, by_steps),
    )  # fmt: skip
    together = "BATCH_SIZE * PASSES" if passes else "BATCH_SIZE"
    order = f"by_length(examples, {together})" if recipe.grouped else "shuffled(examples, epoch)"
    batches = f"batches(examples, BATCH_SIZE, {order})"
    each = f"for number, batch in enumerate({batches}, 1):" if passes else f"for batch in {batches}:"
    step = _STEP_OF_TOKENS if by_tokens else _STEP_OF_LABELS if by_labels else _STEP_OF_PASSES if passes else _STEP
    if by_steps:
        told = f"step += 1\nif step % {spec['every']} == 0:\n{_indented(_TOLD.replace('epoch + 1', 'step') + judged)}"
        step += _indented(told) if passes else told
    inner = f"{each}\n{_indented(step)}" + ("" if by_steps else _TOLD + judged)
    body = ["model.train()", *(line for line, needed in wanted if needed)]
    epoch = "_" if by_steps and recipe.grouped else "epoch"
    body += [f"for {epoch} in range(EPOCHS):", _indented(inner).rstrip(), *(["return kept"] if plan.best else [])]
    when = f"every {spec['every']} steps" if by_steps else "after each epoch"
    told = f'"""Train, and evaluate {when}{"; gives the best weights" if plan.best else ""}."""'
    fit = "def fit(examples):\n" + _indented("\n".join([told, *body]))
    clip = f"    torch.nn.utils.clip_grad_norm_(model.parameters(), {spec['clipping']!r})\n" if spec["clipping"] else ""
    update = _UPDATE_BY_TOKENS if by_tokens else _UPDATE_BY_LABELS if by_labels else _UPDATE
    return f"{update.format(clip=clip)}\n\n\n{fit}"


def _judged(plan: Plan, recipe: Recipe) -> str:
    """What an evaluation decides: which weights are kept, and whether to go on."""
    patience = plan.spec["patience"]
    if not plan.best and not patience:
        return ""
    value, sign = f'evaluated["{recipe.metric}"]', ">" if recipe.greater else "<"
    better = [f"best = {value}", *(["kept = copy.deepcopy(model.state_dict())"] if plan.best else [])]
    lines = [f"if best is None or {value} {sign} best:", *(f"    {one}" for one in better)]
    if patience:
        end = "return kept" if plan.best else "return"
        lines += ["    waited = 0", "else:", "    waited += 1", f"    if waited == {patience}:", f"        {end}"]
    return "\n".join(lines) + "\n"


def _indented(text: str) -> str:
    return textwrap.indent(text, "    ")


def _end(plan: Plan, recipe: Recipe) -> str:
    best = "model.load_state_dict(fit(examples))" if plan.best else "fit(examples)"
    return _END.replace("FIT", best).replace("SAVED", saving(plan)).replace("PROCESSOR", recipe.processor)


_KEPT, _BEST, _WAITED, _ZERO = "kept = model.state_dict()", "best = None", "waited = 0", "step = 0"
_COUNT = "passes = math.ceil(len(examples) / BATCH_SIZE)"
_TOLD = "evaluated = evaluate(held)\nprint(epoch + 1, evaluated)\n"
_STEP = "model(**batch).loss.backward()\nupdate()\n"
_STEP_OF_PASSES = """first = (number - 1) // PASSES * PASSES
together = min(PASSES, passes - first)  # the last step of an epoch may have fewer passes
(model(**batch).loss / together).backward()
if number == first + together:
    update()
"""
_NO_TOKENS, _NOTHING = "tokens = 0", "counted = 0"
_STEP_OF_LABELS = """counts = (batch["labels"] != -100).sum() if BY_LABELS else 1
(model(**batch).loss * counts).backward()
counted += counts
if number % PASSES == 0 or number == passes:
    update(counted)
    counted = 0
"""
_STEP_OF_TOKENS = """foreseen = (batch["labels"][:, 1:] != -100).sum()
(model(**batch).loss * foreseen).backward()
tokens += foreseen
if number % PASSES == 0 or number == passes:
    update(tokens)
    tokens = 0
"""
_WEIGHTS = "optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, weight_decay=0.0, fused=True)"
_DECAYED = """weights = [weight for weight in model.parameters() if weight.requires_grad]
groups = [  # biases and norms, which have one dimension, are not drawn towards 0
    {"params": [weight for weight in weights if weight.ndim > 1], "weight_decay": DECAY},
    {"params": [weight for weight in weights if weight.ndim < 2], "weight_decay": 0.0},
]
optimizer = torch.optim.AdamW(groups, lr=LEARNING_RATE, fused=True)"""

_BEGIN = """device = "cuda" if torch.cuda.is_available() else "cpu"
model.to(device)
examples, held = encode(train), HELD(validation)"""
_HALF = """
# Products are made in bf16; the weights stay in float32.
model.forward = torch.autocast(device, dtype=torch.bfloat16)(model.forward)"""

_BY_LENGTH = '''
def by_length(examples, size, generator=None):
    """An order in which examples of about one length follow each other, so that little of a batch is padding."""
    lengths = [len(example["input_ids"]) for example in examples]
    return LengthGroupedSampler(size, lengths=lengths, generator=generator)
'''

_AT_RANDOM = '''
def shuffled(examples, epoch):
    """Each epoch has an order of its own."""
    return RandomSampler(examples, generator=torch.Generator().manual_seed(SEED + epoch))
'''

_BATCHES = '''
def batches(examples, size, order):
    """Batches on the device."""
    for batch in DataLoader(examples, size, sampler=order, collate_fn=collate):
        yield {name: value.to(device) for name, value in batch.items()}'''

_EVALUATE = '''
@torch.no_grad()
def evaluate(examples):
    """The mean loss, and the figures of all predictions."""
    model.eval()
    size, loss, predictions, gold = 2 * BATCH_SIZE, 0.0, [], []
    order = ORDER
    for batch in batches(examples, size, order):
LOSS
        predictions.extend(KEPT)
        gold.extend(batch["labels"].cpu().numpy())
    model.train()
    return {"loss": loss / len(examples), **figures(predictions, gold)}

'''

_EVALUATE_IN_ORDER = '''
@torch.no_grad()
def evaluate(examples):
    """The mean loss, and the figures of all predictions."""
    model.eval()
    size, loss, predictions = 2 * BATCH_SIZE, 0.0, []
    order = ORDER
    for batch in batches(examples, size, order):
LOSS
        predictions.extend(KEPT)
    model.train()
    return {"loss": loss / len(examples), **figures(predictions, [GOLD for i in order])}

'''

_LOGITS = """        outputs = model(**batch)
        loss += outputs.loss.item() * len(batch["labels"])"""
_WRITING = """        loss += model(**batch).loss.item() * len(batch["labels"])
        ids = model.generate(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"])"""

_UPDATE = '''
def update():
    """One step of the optimizer."""
{clip}    optimizer.step()
    schedule.step()
    optimizer.zero_grad()'''

_UPDATE_BY_TOKENS = '''
def update(tokens):
    """One step of the optimizer, by the mean gradient of so many tokens."""
    for weight in model.parameters():
        if weight.grad is not None:
            weight.grad /= tokens
{clip}    optimizer.step()
    schedule.step()
    optimizer.zero_grad()'''

_UPDATE_BY_LABELS = _UPDATE_BY_TOKENS.replace("so many tokens", "all that counts").replace("tokens", "counted")

_ASKED = '''
def by_labels():
    """Whether a step is the mean of its labels, as the Trainer has it with models that divide by their number."""
    row = next(batches(examples[:1], 1, [0]))
    model.eval()
    try:
        with torch.no_grad():
            one, two = (model(**row, num_items_in_batch=torch.tensor(n, device=device)).loss for n in (1, 2))
    except TypeError:  # it takes no such number; a step is the mean of its passes
        return False
    return not torch.equal(one, two)


BY_LABELS = by_labels()'''

_END = """
FIT
result = evaluate(held)
print(result)
SAVED.save_pretrained("model")
PROCESSOR.save_pretrained("model")"""
