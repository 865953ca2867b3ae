"""Which column of a table is probably what for a task, by what the columns hold and what they are called."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from components.service.runs.tasks import TRAIN_TASKS
from components.service.runs.values import language_of
from components.service.worker.columns import Kind, kinds_of
from components.service.worker.tables import Table

#: What columns of each role are called, the likeliest name first.
NAMES: dict[str, tuple[str, ...]] = {
    "text": (
        "text", "sentence", "sentence1", "premise", "question1", "text1", "review", "content", "comment", "tweet",
        "message", "body", "document", "question", "query", "input", "story",
    ),
    "label": (
        "label", "labels", "class", "category", "target", "sentiment", "intent", "stars", "rating", "score", "topic",
    ),
    "tokens": ("tokens", "words"),
    "tags": ("ner_tags", "tags", "labels", "label", "ner", "pos_tags", "chunk_tags"),
    "question": ("question", "query"),
    "context": ("context", "passage", "paragraph", "document", "text"),
    "answers": ("answers", "answer"),
    "messages": ("messages", "conversations", "conversation", "chat"),
    "target": ("summary", "highlights", "abstract", "headline", "title", "target", "output"),
    "image": ("image", "img", "picture", "photo"),
}  # fmt: skip
PAIRS = {
    "sentence1": "sentence2", "sentence": "sentence2", "premise": "hypothesis", "question1": "question2",
    "text1": "text2", "text_a": "text_b", "sentence_a": "sentence_b", "text": "text_pair",
}  # fmt: skip
#: What the longer text is called where a shorter one is written from it.
SOURCES = ("document", "article", "dialogue", "text", "body", "content", "source", "input")
Columns = dict[str, str | None]


def suggest(table: Table, task: str = "text-classification", kinds: Mapping[str, Kind] | None = None) -> Columns:
    """The column that is probably meant for each role of the task; `None` where none is."""
    looked = _Look(table, kinds or kinds_of(table))
    guesses = {
        "token-classification": looked.tagged,
        "question-answering": looked.answered,
        "text-generation": looked.language,
        "fill-mask": looked.plain,
        "summarization": looked.summarized,
        "translation": looked.translated,
        "image-classification": looked.pictured,
    }
    return guesses.get(task, looked.classified)()


def choose(table: Table, task: str, chosen: Mapping[str, str], kinds: Mapping[str, Kind] | None = None) -> Columns:
    """The columns that were chosen, and guesses for the required roles that were not.

    A role that may be absent (a second text) is guessed only together with all the others: one text that was chosen
    stands alone.
    """
    roles = TRAIN_TASKS[task].columns
    given = {role.role: chosen.get(role.role) or None for role in roles}
    instead = {role.instead for role in roles if given[role.role]}
    open_roles = [role for role in roles if role.required and not given[role.role] and not given.get(role.instead)]
    if not open_roles:
        return given
    guess = suggest(table, task, kinds)
    if not any(given.values()):
        return {role.role: guess[role.role] for role in roles}
    taken = set(given.values())
    free = {r.role: guess[r.role] for r in open_roles if r.role not in instead and guess[r.role] not in taken}
    return {**given, **free}


class _Look:
    """One table looked at; each method gives the columns by the roles of a task."""

    def __init__(self, table: Table, kinds: Mapping[str, Kind]) -> None:
        self.table = table
        self.kinds = kinds
        self.by_name = {name.lower(): name for name in reversed(list(table.columns))}

    def classified(self) -> Columns:
        text = self._text(NAMES["text"])
        pair = self.by_name.get(PAIRS.get((text or "").lower(), ""))
        return {"text": text, "text_pair": pair, "label": self._label((text, pair))}

    def plain(self) -> Columns:
        return {"text": self._text(NAMES["text"])}

    def language(self) -> Columns:
        messages = self._named("messages", "messages") or self._any("messages")
        return {"text": None if messages else self._text(NAMES["text"]), "messages": messages}

    def tagged(self) -> Columns:
        lists = [name for name, kind in self.kinds.items() if kind in ("tokens", "labels")]
        tokens = self._named("tokens", "tokens", "labels") or self._any("tokens")
        rest = [name for name in lists if name != tokens]
        tags = next((self.by_name[name] for name in NAMES["tags"] if self.by_name.get(name) in rest), None)
        return {"tokens": tokens, "tags": tags or next(iter(rest), None)}

    def answered(self) -> Columns:
        answers = self._any("answers") or self._named("answers", "text", "label", "tokens", "labels")
        # Questions may be as short as names, and contexts come again.
        question = self._named("question", "text", "label", "other")
        texts = [name for name in self._texts() if name not in (question, answers)]
        context = self._named("context", "text", "label") or next(iter(texts), None)
        question = question or next((name for name in texts if name != context and self._asks(name)), None)
        return {"question": question, "context": context, "answers": answers}

    def summarized(self) -> Columns:
        target = self._summary()
        texts = [name for name in self._texts() if name != target]
        named = [self.by_name[name] for name in SOURCES if self.by_name.get(name) not in (None, target)]
        text = next(iter([*(name for name in named if name in texts), *texts]), None)
        # Documents may be short and come again, each with several summaries.
        text = text or next((name for name in named if self.kinds[name] == "label"), None)
        return {"text": text, "target": target or next((name for name in texts if name != text), None)}

    def _summary(self) -> str | None:
        """The column that is called a summary. Headlines may be as short as classes are; what is only called a target
        and looks like a class is one."""
        for name in NAMES["target"]:
            kind = self.kinds.get(self.by_name.get(name, ""))
            if kind == "text" or (kind == "label" and name not in ("target", "output")):
                return self.by_name[name]
        return None

    def translated(self) -> Columns:
        texts = [name for kind in ("text", "label") for name, found in self.kinds.items() if found == kind]
        spoken = [name for name in texts if language_of(name)]
        source = [self.by_name[name] for name in ("source", "src", "input") if self.by_name.get(name) in texts]
        target = [self.by_name[n] for n in ("target", "tgt", "translation", "output") if self.by_name.get(n) in texts]
        if len(spoken) >= 2:
            return {"text": spoken[0], "target": spoken[1]}
        text = next(iter([*source, *(name for name in texts if name not in target)]), None)
        return {"text": text, "target": next((name for name in [*target, *texts] if name != text), None)}

    def pictured(self) -> Columns:
        image = self._named("image", "image") or self._any("image")
        return {"image": image, "label": self._label((image,))}

    def _label(self, taken: Sequence[str | None]) -> str | None:
        free = {name: kind for name, kind in self.kinds.items() if name not in taken}
        named = [self.by_name[name] for name in NAMES["label"] if self.by_name.get(name) in free]
        classes = [name for name in named if free[name] in ("label", "labels")]
        # A number is what is to be predicted where it is called so; elsewhere classes come first.
        numbers = [name for name in named if free[name] == "number"]
        meant = [name for name in numbers if name.lower() in ("label", "labels", "target")]
        rest = [name for name, kind in free.items() if kind == "label"]
        rest += [name for name, kind in free.items() if kind == "labels"]
        return next(iter([*classes, *meant, *rest, *numbers]), None)

    def _text(self, names: Sequence[str]) -> str | None:
        named = [self.by_name[name] for name in names if name in self.by_name]
        text = next((name for name in named if self.kinds[name] == "text"), None) or next(iter(self._texts()), None)
        # A column named text is text even if its values repeat, unless that leaves nothing to be the label.
        return text or next((name for name in named if self.kinds[name] == "label"), None)

    def _named(self, role: str, *kinds: Kind) -> str | None:
        found = [self.by_name[name] for name in NAMES[role] if name in self.by_name]
        return next((name for name in found if self.kinds[name] in kinds), None)

    def _any(self, kind: Kind) -> str | None:
        return next((name for name, found in self.kinds.items() if found == kind), None)

    def _texts(self) -> list[str]:
        """The columns of texts, the longest texts first."""
        texts = [name for name, kind in self.kinds.items() if kind == "text"]
        return sorted(texts, key=lambda name: -self._length(name))

    def _length(self, name: str) -> float:
        values = [len(str(value)) for value in self.table.columns[name][:1000] if value is not None]
        return math.fsum(values) / max(1, len(values))

    def _asks(self, name: str) -> bool:
        values = [str(value) for value in self.table.columns[name][:100] if value is not None]
        return sum(value.rstrip().endswith(("?", "？", "؟")) for value in values) * 2 > len(values)
