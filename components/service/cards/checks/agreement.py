"""What the text of a card says, and where the metadata says something else."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from components.cardrules.names import language_of, licence_of, task_of
from components.cardrules.rules import listed
from components.service.cards.checks.card import Card
from components.service.cards.checks.findings import Findings, put, shown

#: Longest line that is read for what it says; a longer one is a table or a log.
LONGEST_LINE = 2000
_LICENCE = re.compile(
    r"(?:licen[sc]ed|released|distributed|available|published) under (?:the |an? )?(?:terms of (?:the )?)?"
    r"(?P<under>.{2,90})"
    r"|^\W{0,6}licen[sc]e\W{0,6}[:|]\W{0,6}(?P<label>.{2,90})",
    re.IGNORECASE,
)
#: What else than the model has a licence.
_OTHER_THINGS = re.compile(
    r"\b(data|datasets?|corpus|corpora|code|library|texts?|images?|base model|weights of)\b", re.I
)
_LANGUAGE = re.compile(r"^\W{0,6}languages?(?: ?\(s\))?(?: ?\(nlp\))?\W{0,6}[:|]\W{0,6}(.{2,200})", re.IGNORECASE)
_PIPELINE = re.compile(r"\bpipeline\(\s{0,40}(?:task\s?=\s?)?[\"']([\w-]{2,60})[\"']")
_BASE = re.compile(
    r"\bfine-?tuned\s+(?:version\s+|variant\s+)?(?:of|from)\s+(?:the\s+)?"
    r"(?:\[(?P<link>[\w.-]+(?:/[\w.-]+)?)\]\(https?://|`(?P<code>[\w.-]+(?:/[\w.-]+)?)`|(?P<plain>[\w.-]+/[\w.-]+))",
    re.IGNORECASE | re.ASCII,
)
_WORDS = re.compile(r"[\s*_`\[\]]+")
#: Codes that mean one language to a reader.
_SAME = {"nb": "no", "nn": "no", "nor": "no", "nob": "no", "cmn": "zh", "zho": "zh", "yue": "zh"}
#: Tasks for which the code may well use another pipeline.
_USABLE = {
    "sentence-similarity": {"feature-extraction"},
    "text-ranking": {"text-classification"},
    "text-to-speech": {"text-to-audio"},
    "text-to-audio": {"text-to-speech"},
    "image-text-to-text": {"text-generation", "image-to-text"},
    "translation": {"text-generation"},
    "summarization": {"text-generation"},
    "any-to-any": {"text-generation", "image-text-to-text"},
}


@dataclass
class Said:
    """What the text says of what the metadata tells too.

    Attributes:
        licence: The licence it names for the model.
        languages: The codes of the languages it lists.
        task: The task of the pipeline in its code, where there is one only.
        base: The model that it calls this one a fine-tuned version of.
        licence_line, languages_line, task_line, base_line: Where in the card.
    """

    licence: str = ""
    languages: list[str] = field(default_factory=list)
    task: str = ""
    base: str = ""
    licence_line: int = 1
    languages_line: int = 1
    task_line: int = 1
    base_line: int = 1


def read_text(card: Card) -> Said:
    """What the text of a card says."""
    said = Said()
    for number, line in enumerate(card.prose):
        if not 4 < len(line) <= LONGEST_LINE:
            continue
        at, lowered = card.first + number, line.lower()
        if not said.licence and ("licen" in lowered or " under " in lowered) and (named := _licence(line)):
            said.licence, said.licence_line = named, at
        if not said.languages and "language" in lowered and (match := _LANGUAGE.match(line)):
            said.languages, said.languages_line = _languages(match[1]), at
    _read_task(card, said)
    _read_base(card, said)
    return said


def _licence(line: str) -> str:
    match = _LICENCE.search(line)
    if match is None or _OTHER_THINGS.search(line[: match.start()]):
        return ""
    phrase = re.split(r"[;,\n(|]|\. |\.$", match["under"] or match["label"])[0].removesuffix(".")
    words = _WORDS.sub(" ", phrase).split()
    return next((key for end in range(min(len(words), 9), 0, -1) if (key := licence_of(" ".join(words[:end])))), "")


def _languages(text: str) -> list[str]:
    names = re.split(r"[,;/|&]|\band\b", _WORDS.sub(" ", text).rstrip(" ."))
    codes = [language_of(name) for name in names[:30]]
    return list(dict.fromkeys(code for code in codes if code)) if codes and all(codes) else []


def _read_task(card: Card, said: Said) -> None:
    tasks: dict[str, int] = {}
    for number, block in card.blocks[:200]:
        for match in _PIPELINE.finditer(block[:20_000]):
            if task := task_of(match[1]):
                tasks.setdefault(task, card.first + number + block.count("\n", 0, match.start()))
    if len(tasks) == 1:
        [(said.task, said.task_line)] = tasks.items()


def _read_base(card: Card, said: Said) -> None:
    text = "\n".join(line if len(line) <= LONGEST_LINE else "" for line in card.prose)
    if match := _BASE.search(text):
        named = (match["link"] or match["code"] or match["plain"]).rstrip(".")
        if named.lower() not in ("none", "this", "model") and named.replace("/", "").strip("."):
            said.base, said.base_line = named, card.first + text.count("\n", 0, match.start())


def check_agreement(card: Card, said: Said, found: Findings) -> None:
    """Tell where text and metadata contradict each other."""
    values = card.values
    given = [value for _, value in listed(values, "license")]
    if said.licence and given and "other" not in given and not any(_one_licence(one, said.licence) for one in given):
        message = f"The text names the licence {said.licence}, the metadata {shown(', '.join(given))}."
        remedy = [put("license", said.licence)]
        found.tell("warning", said.licence_line, "license", message, "Correct the one that is wrong.", remedy)
    _check_languages(card, said, found)
    task = values.get("pipeline_tag")
    if (
        said.task
        and isinstance(task, str)
        and task_of(task) == task != said.task
        and said.task not in _USABLE.get(task, ())
    ):
        message = f"The code makes a pipeline for {said.task}, the metadata says {task}."
        fix = "Correct the one that is wrong."
        found.tell("warning", said.task_line, "pipeline_tag", message, fix, [put("pipeline_tag", said.task)])
    bases = [value for _, value in listed(values, "base_model")]
    if said.base and bases and not any(_one_model(base, said.base) for base in bases):
        message = (
            f"The text says that the model was made from {shown(said.base)}, the metadata {shown(', '.join(bases))}."
        )
        fix = "Correct the one that is wrong."
        found.tell("warning", said.base_line, "base_model", message, fix, [put("base_model", said.base)])


def _check_languages(card: Card, said: Said, found: Findings) -> None:
    given = [value for _, value in listed(card.values, "language")]
    if not said.languages or not given or "multilingual" in given:
        return
    known = {_same(code) for code in given}
    more = [code for code in said.languages if _same(code) not in known]
    if more:
        codes = [*given, *more] if len(more) < len(said.languages) else said.languages
        message = f"The text lists {', '.join(said.languages)} as languages, the metadata {shown(', '.join(given))}."
        remedy = [put("language", codes[0] if len(codes) == 1 else codes)]
        found.tell("warning", said.languages_line, "language", message, "Correct the one that is wrong.", remedy)


def _same(code: str) -> str:
    short = code.partition("-")[0].lower()
    return _SAME.get(short, short)


def _one_licence(one: str, other: str) -> bool:
    """Whether two identifiers can mean one licence: the same, or one the family of the other."""
    return one == other or one.startswith(f"{other}-") or other.startswith(f"{one}-")


def _one_model(one: str, other: str) -> bool:
    """Whether two names can mean one model: with and without its namespace."""
    one, other = one.lower(), other.lower()
    return one == other or other.endswith(f"/{one}") or one.endswith(f"/{other}")
