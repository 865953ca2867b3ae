"""Scripts for questions whose answer is a piece of a text, or that the text does not answer."""

from __future__ import annotations

from components.service.runs.tasks import LONGEST, STRIDE, TRAIN_TASKS, TRIED
from components.service.snippets.finetune.inlined import inlined
from components.service.snippets.finetune.labels import MODEL, PADDING, chosen
from components.service.snippets.finetune.recipe import Plan, Recipe
from components.service.snippets.finetune.tables import of_texts

_MODEL = "AutoModelForQuestionAnswering"


def question_answering(plan: Plan) -> Recipe:
    """Begin and end of an answer, found among the tokens of a context that is read in windows."""
    columns, task = plan.spec["columns"], TRAIN_TASKS[plan.task]
    texts = of_texts(plan.spec["data"])
    scoring, imports = inlined("components.service.runs.text_metrics", "answer_scores")
    sizes = {"SHARED": STRIDE, "LONGEST": LONGEST, "TRIED": TRIED}
    inputs = _INPUTS
    for name, size in sizes.items():
        inputs = inputs.replace(name, str(size))
    return Recipe(
        metric=chosen(plan, task.metrics),
        columns={role.upper(): columns.get(role, role) for role in task.roles},
        rows=_rows(texts=texts),
        group='row["context"]',
        whole=True,
        model=MODEL + _HEAD + PADDING + _UNANSWERED,
        inputs=inputs + ("" if plan.plain else _TOKEN_SCORES) + scoring + _FIGURES,
        names=(_MODEL, "AutoTokenizer"),
        imports=("import re", "import numpy as np", *imports, *(_WRITTEN if texts else ())),
        kept="" if plan.plain else "token_scores",
        lengths=task.defaults["max_length"],
        gold="examples[i]" if plan.plain else "trainer.eval_dataset[i]",
        outputs="torch.stack([outputs.start_logits, outputs.end_logits], -1)",
        target="start_positions",
    )


def _rows(*, texts: bool) -> str:
    """Defines `rows_of`; where all cells are texts, answers are written out in theirs."""
    if texts:
        return _PARSED + _ROWS.replace("CELLS", "map(parsed, split[ANSWERS])")
    return _ROWS.replace("CELLS", "split[ANSWERS]")


_WRITTEN = ("import ast", "import json")

#: Lists and objects in a table of texts: as JSON, or as Python prints them, also with numpy's arrays in them.
_PARSED = '''
class Lists(ast.NodeTransformer):
    """Puts lists in place of arrays, as which pandas writes those of a data set: `array([3], dtype=int32)`."""

    def visit_Call(self, node):
        return node.args[0]


def parsed(cell):
    """The list or object that a text holds as JSON or as Python prints it; else the text."""
    if cell[:1] not in ("{", "["):
        return cell
    try:
        return json.loads(cell)
    except json.JSONDecodeError:
        pass
    try:
        return ast.literal_eval(Lists().visit(ast.parse(cell, mode="eval")))
    except (ValueError, SyntaxError):
        return cell

'''

_ROWS = '''
def place(text, start, context):
    """Where an answer begins: as said where that is right, else where it stands nearest; `None` if nowhere."""
    if start is not None and context[start : start + len(text)] == text:
        return start
    places = [match.start() for match in re.finditer(re.escape(text), context)]
    return min(places, key=lambda place: abs(place - (start or 0)), default=None)


def answers_of(cell, context):
    """The answers and where they begin in the context, as SQuAD has them; `None` where none of them stands in it.

    A cell holds texts with their places, or texts alone; empty lists say that the context has no answer.
    """
    if isinstance(cell, dict) and isinstance(cell.get("text"), list):
        starts = cell.get("answer_start") or [None] * len(cell["text"])
        cell = [{"text": text, "answer_start": start} for text, start in zip(cell["text"], starts)]
    cells = cell if isinstance(cell, list) else [cell]
    pairs = [(one.get("text"), one.get("answer_start")) if isinstance(one, dict) else (one, None) for one in cells]
    if not all(text and text.strip() for text, _ in pairs):
        return None
    found = [(text, place(text, start, context)) for text, start in pairs]
    found = [(text, start) for text, start in found if start is not None]
    if pairs and not found:
        return None
    return {"text": [text for text, _ in found], "answer_start": [start for _, start in found]}


def rows_of(split):
    """The rows that have a question, a context, and answers that stand in it."""
    rows = [{"question": str(row[QUESTION] or ""), "context": str(row[CONTEXT] or "")} for row in split]
    for row, cell in zip(rows, CELLS):
        row["answers"] = answers_of(cell, row["context"])
    rows = [row for row in rows if row["answers"] is not None]
    return [row for row in rows if row["question"].strip() and row["context"].strip()]'''

_HEAD = "model = AutoModelForQuestionAnswering.from_pretrained(MODEL, revision=REVISION, dtype=torch.float32)\n"

_UNANSWERED = """

# Whether some questions have no answer; whoever runs the model reads it in its configuration.
UNANSWERED = any(not row["answers"]["text"] for row in train + validation)
model.config.task_specific_params = {"question-answering": {"handle_impossible_answer": UNANSWERED}}"""

_INPUTS = '''LIMIT = min(MAX_LENGTH, tokenizer.model_max_length)
ROOM = LIMIT - tokenizer.num_special_tokens_to_add(pair=True)
FIRST = tokenizer.padding_side == "right"  # the question comes first; where padding comes first, the context does


def cut(question):
    """The question, which takes up no more than half of a window."""
    places = tokenizer(question, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
    return question if len(places) <= ROOM // 2 else question[: places[ROOM // 2 - 1][1]]


def span(answers, offsets, null):
    """The first and the last token of the answer; twice `null` where it is not in the window as a whole."""
    if answers["text"]:
        start = answers["answer_start"][0]
        end = start + len(answers["text"][0])
        tokens = np.flatnonzero((offsets[:, 0] < end) & (offsets[:, 1] > start) & (offsets[:, 0] < offsets[:, 1]))
        if len(tokens) and offsets[tokens[0], 0] <= start and end <= offsets[tokens[-1], 1]:
            return int(tokens[0]), int(tokens[-1])
    return null, null


def encode(rows):
    """Windows of the contexts, each with its question; neighbours have some tokens in common.

    An answer that a window does not hold is the token [CLS], or the first one.
    """
    windows = []
    for number, row in enumerate(rows):
        question = cut(row["question"].strip())
        batch = tokenizer(
            *((question, row["context"]) if FIRST else (row["context"], question)),
            truncation="only_second" if FIRST else "only_first",
            max_length=LIMIT,
            stride=min(SHARED, ROOM // 4),
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
        )
        for i, ids in enumerate(batch["input_ids"]):
            offsets = np.array(batch["offset_mapping"][i], dtype=np.int32)  # first and last character of each token
            offsets[[part != int(FIRST) for part in batch.sequence_ids(i)]] = 0  # none where it is not of the context
            null = ids.index(tokenizer.cls_token_id) if tokenizer.cls_token_id in ids else 0
            start, end = span(row["answers"], offsets, null)
            window = {name: batch[name][i] for name in tokenizer.model_input_names if name in batch}
            window |= {"start_positions": start, "end_positions": end}
            windows.append({**window, "row": number, "offsets": offsets, "null": null})
    return windows


def collate(windows):
    """A batch of what the model reads, padded at the end: the places of the answers hold."""
    names = [*tokenizer.model_input_names, "start_positions", "end_positions"]
    inputs = [{name: window[name] for name in names if name in window} for window in windows]
    return tokenizer.pad(inputs, padding_side="right", return_tensors="pt")


def best_span(scores, offsets, context):
    """The score and the text of the best answer in a window, of LONGEST tokens at most."""
    start, end = scores[:, 0], scores[:, 1]
    tokens = np.flatnonzero(offsets[:, 0] < offsets[:, 1])
    firsts = sorted(tokens, key=lambda token: -start[token])[:TRIED]
    lasts = sorted(tokens, key=lambda token: -end[token])[:TRIED]
    spans = [(start[i] + end[j], i, j) for i in firsts for j in lasts if 0 <= j - i < LONGEST]
    score, first, last = max(spans, key=lambda span: span[0], default=(-np.inf, 0, 0))
    return score, context[offsets[first, 0] : offsets[last, 1]].strip()

'''

_TOKEN_SCORES = '''
def token_scores(logits, positions):
    """What is kept of a batch: how much each token looks like the begin, and how much like the end of the answer."""
    return torch.stack(logits[:2], -1)

'''

_FIGURES = '''

def figures(predictions, windows):
    """Exact match and F1 of words, of the best answer to each question in all of its windows."""
    answers, nulls = [(-np.inf, "")] * len(validation), [np.inf] * len(validation)
    for scores, window in zip(predictions, windows):
        number = window["row"]
        found = best_span(scores, window["offsets"], validation[number]["context"])
        answers[number] = max(answers[number], found, key=lambda answer: answer[0])
        nulls[number] = min(nulls[number], scores[window["null"]].sum())
    said = ["" if UNANSWERED and null > score else text for (score, text), null in zip(answers, nulls)]
    found = answer_scores(said, [row["answers"]["text"] for row in validation])
    return {name: sum(values) / len(values) for name, values in found.items()}'''
