"""Scripts for encoder-decoders, which write a text for a text: summaries and translations."""

from __future__ import annotations

import inspect
from typing import Any

from components.service.errors import WorkbenchError
from components.service.runs.tasks import TRAIN_TASKS
from components.service.runs.values import target_value
from components.service.snippets.code import Name, call, literal
from components.service.snippets.finetune.labels import PADDING, chosen
from components.service.snippets.finetune.recipe import Plan, Recipe
from components.service.snippets.finetune.tables import of_texts


def summarization(plan: Plan) -> Recipe:
    """Texts into summaries, judged by ROUGE."""
    prefix = plan.facts.get("prefix")
    found = _PREFIX if prefix is None else ""
    kept = _KEPT.format(task='"summarization"', prefix='""' if prefix == "" else "PREFIX")
    return _recipe(plan, prefix, model=_told(found + kept), figures=_ROUGE, imports=_ROUGE_IMPORTS)


def translation(plan: Plan) -> Recipe:
    """Texts into another language, judged by BLEU and chrF.

    Raises:
        WorkbenchError: It is not known yet how the model is told the languages.
    """
    prefix, (source, target), first, cut = _languages(plan)
    codes: dict[str, Any] = {"src_lang": source, "tgt_lang": target} if first else {}
    start = plan.facts.get("first_token_by") == "decoder_start_token_id"
    told = (_START if start else _FIRST).format(token=literal(first)) if first else ""
    if prefix and not prefix.startswith(">>"):
        told += _KEPT.format(task=literal(f"translation_{source}_to_{target}"), prefix="PREFIX")
    cutting: dict[str, Any] = {} if cut == "13a" else {"tokenize": cut}
    figures = _BLEU.replace("MEASURE", call("BLEU", **cutting))
    return _recipe(plan, prefix, model=_told(told, **codes), figures=figures, imports=_BLEU_IMPORTS)


def _languages(plan: Plan) -> tuple[str, tuple[str | None, str | None], str | None, str]:
    """The words before each text, the codes of the languages, the token that a translation begins with, and how words
    are counted."""
    told = [plan.facts.get(name) for name in ("prefix", "languages", "bleu_tokenizer")]
    match told:
        case [str(prefix), [str() | None as source, str() | None as target], str(cut)] if "first_token" in plan.facts:
            return prefix, (source, target), plan.facts["first_token"], cut
    raise WorkbenchError(
        "How the model is told its languages is known once the run has read it: ask again then.", field="languages"
    )


def _told(more: str, **codes: Any) -> str:
    """Makes `tokenizer` and `model`, and tells them how to write; `codes` are of languages."""
    tokenizer = call("AutoTokenizer.from_pretrained", Name("MODEL"), revision=Name("REVISION"), **codes)
    return f"tokenizer = {tokenizer}\n{_MODEL}{PADDING}\n{_LENGTHS}{more}"


def _recipe(plan: Plan, prefix: str | None, *, model: str, figures: str, imports: tuple[str, ...]) -> Recipe:
    """A recipe; `prefix` is what stands before each text, `None` where the script finds it out."""
    columns, texts = plan.spec["columns"], of_texts(plan.spec["data"])
    target = "summary" if plan.task == "summarization" else "target"
    most = plan.facts.get("max_target_length") or plan.spec["max_target_length"]
    rows = _ROWS.replace("CELL", "row[TARGET]").replace("THERE", 'row["target"].strip()')
    if not texts:
        rows = _ROWS.replace("CELL", "target_value(row[TARGET])").replace("THERE", 'row["target"]')
        rows = f"\n{inspect.getsource(target_value)}\n{rows}"
    text = 'row["text"]' if prefix == "" else 'PREFIX + row["text"]'
    return Recipe(
        metric=chosen(plan, TRAIN_TASKS[plan.task].metrics),
        columns={"TEXT": columns.get("text", "text"), "TARGET": columns.get("target", target)},
        rows=rows,
        group="None",
        model=model.rstrip(),
        inputs=_ENCODE.replace("TEXT", text) + figures + _COLLATE,
        names=("AutoModelForSeq2SeqLM", "AutoTokenizer", "DataCollatorForSeq2Seq", "GenerationConfig"),
        imports=(*imports, *([] if texts else ["from typing import Any"]), *([] if plan.plain else ["import copy"])),
        constants={"MAX_TARGET_LENGTH": most, **({"PREFIX": prefix} if prefix else {})},
        gold='validation[i]["target"]',
        writes=True,
        arguments={"predict_with_generate": True},
    )


_ROUGE_IMPORTS = ("import re", "from rouge_score.rouge_scorer import RougeScorer")
_BLEU_IMPORTS = ("from sacrebleu.metrics import BLEU, CHRF",)

_ROWS = '''
def rows_of(split):
    """The rows that have a text and a target."""
    rows = [{"text": str(row[TEXT] or ""), "target": CELL} for row in split]
    return [row for row in rows if row["text"].strip() and THERE]'''

_MODEL = """set_seed(SEED)
model = AutoModelForSeq2SeqLM.from_pretrained(MODEL, revision=REVISION, dtype=torch.float32)
"""

_LENGTHS = """
# The most tokens of a text and of a target: what is asked for, or less where tokenizer or model have an end before.
positions = getattr(model.config, "max_position_embeddings", None) or float("inf")
longest = min(MAX_LENGTH, tokenizer.model_max_length, positions)
longest_target = min(MAX_TARGET_LENGTH, positions - 1)

# An evaluation writes the likeliest token next. Of what the model's files say of writing, only what belongs to its
# vocabulary is kept: beams and lengths were chosen for other texts.
kept = ("_token_id", "bad_words_ids", "suppress_tokens")
own = {name: value for name, value in vars(model.generation_config).items() if name.endswith(kept)}
model.generation_config = GenerationConfig(**own, max_new_tokens=longest_target, num_beams=1, do_sample=False)
"""

_FIRST = """# A translation begins with the token of its language.
model.generation_config.forced_bos_token_id = tokenizer.convert_tokens_to_ids({token})
"""
_START = """# The decoder starts from the token of its language.
model.generation_config.decoder_start_token_id = tokenizer.convert_tokens_to_ids({token})
model.generation_config.forced_bos_token_id = None
"""
#: What T5 and its kin are told before a text; others want nothing.
_PREFIX = """tasks = getattr(model.config, "task_specific_params", None) or {}
PREFIX = tasks.get("summarization", {}).get("prefix", "")
"""
_KEPT = """model.config.task_specific_params = {{{task}: {{"prefix": {prefix}}}}}  # pipelines put it before a text
"""

_ENCODE = '''
def encode(rows):
    """Ids of each text and of its target, cut but not padded: a batch is padded to its own longest ones."""
    texts = tokenizer([TEXT for row in rows], truncation=True, max_length=longest)
    targets = tokenizer(text_target=[row["target"] for row in rows], truncation=True, max_length=longest_target)
    parts = zip(texts["input_ids"], texts["attention_mask"], targets["input_ids"])
    return [{"input_ids": ids, "attention_mask": mask, "labels": labels} for ids, mask, labels in parts]


def written(predictions):
    """The texts that were generated; -100 fills up rows of an evaluation."""
    texts = tokenizer.batch_decode([ids[ids >= 0] for ids in predictions], skip_special_tokens=True)
    return [text.strip() for text in texts]

'''

_ROUGE = r'''
class Words:
    """Cuts texts of any script into words, and those that have no spaces between words into letters."""

    def tokenize(self, text):
        return re.findall(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|\w+", text.lower())


def figures(predictions, gold):
    """ROUGE against the whole targets: F of words, of pairs of words, and of the longest common sequence."""
    letters = [letter for text in gold for letter in text if letter.isalpha()]
    others = sum(not letter.isascii() for letter in letters)
    words = Words() if others > 0.01 * len(letters) else None  # rouge_score itself reads a to z alone
    scorer = RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=words is None, tokenizer=words)
    scores = [scorer.score(target, text) for target, text in zip(gold, written(predictions))]
    return {name: sum(score[name].fmeasure for score in scores) / len(scores) for name in scores[0]}
'''

_BLEU = '''
def figures(predictions, gold):
    """BLEU and chrF of all translations together against the whole targets, from 0 to 100."""
    texts, measures = written(predictions), {"bleu": MEASURE, "chrf": CHRF()}
    return {name: measure.corpus_score(texts, [gold]).score for name, measure in measures.items()}
'''

_COLLATE = """
collate = DataCollatorForSeq2Seq(tokenizer)"""
