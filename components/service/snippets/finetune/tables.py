"""How a script reads tables: of a data set on the Hub, uploaded, or pasted.

How the run read each file (its delimiter, its encoding, its header) is known once it has; before, a remark says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from components.service.policy import is_image
from components.service.snippets.code import Name, call, literal
from components.service.snippets.finetune.inlined import inlined
from components.service.snippets.finetune.recipe import Plan
from components.service.worker.layout import splits_of, table_format

_LOAD, _OF_ROWS = "from datasets import load_dataset", "from datasets import Dataset, DatasetDict"
#: What pandas must be told of a CSV file, in its own words.
_CSV = ("sep", "encoding", "quoting", "header", "names", "on_bad_lines")


def names_of(data: Mapping[str, Any]) -> list[str]:
    """The files of an upload by the names that people know them by; text that was pasted is a CSV file."""
    if "files" in data:
        return [str(name) for name in data.get("names") or (PurePosixPath(file).name for file in data["files"])]
    return [Path(str(data.get("name") or data.get("file") or "pasted.csv")).name]


def has_images(data: Mapping[str, Any]) -> bool:
    """Whether images were uploaded."""
    return "files" in data and any(map(is_image, names_of(data)))


def format_of(data: Mapping[str, Any]) -> str:
    """The format of uploaded or pasted tables, as `datasets` calls it."""
    return table_format(names_of(data)[0]) or "csv"


def of_texts(data: Mapping[str, Any]) -> bool:
    """Whether all cells are texts, as in a CSV file."""
    return "dataset" not in data and format_of(data) == "csv"


def tables(data: Mapping[str, Any]) -> dict[str, list[str]]:
    """The names of uploaded tables by split."""
    return splits_of(names_of(data), data.get("splits")) if "files" in data else {"train": names_of(data)}


def loading(plan: Plan) -> tuple[str, list[str]]:
    """Defines `data`, the tables by split, and what must be imported for it."""
    data = plan.spec["data"]
    # A column such as translation.en is a part of another.
    flat = ".flatten()" if any("." in str(column) for column in plan.spec["columns"].values()) else ""
    if "dataset" in data:
        return _of_hub(plan, flat), [_LOAD]
    by_hand = ["import json", "from pathlib import Path", _OF_ROWS]
    if _holds_articles(plan):
        # SQuAD's own files hold articles.
        questions, imports = inlined("components.service.worker.nested", "questions")
        return f"{questions}\n\n{_RECORDS}{_ARTICLES}\n\n{_by_split(data)}", [*imports, *by_hand]
    if any("columns" in form for form in _forms(plan).values()):
        return f"{_RECORDS}{_OBJECTS}\n\n{_by_split(data)}", by_hand
    if of_texts(data):
        return _of_texts(plan), ["import pandas as pd", _OF_ROWS]
    files, forms = tables(data), _forms(plan)
    told = {name: form[name] for form in forms.values() for name in ("field", "encoding") if name in form}
    if len(files) == 1:
        (names,) = files.values()
        named = names[0] if len(names) == 1 else names
        return f"data = {call('load_dataset', format_of(data), data_files=named, **told)}{flat}", [_LOAD]
    read = call("load_dataset", format_of(data), data_files=Name("names"), split="train", **told)
    return f"FILES = {literal(files)}\ndata = {{split: {read}{flat} for split, names in FILES.items()}}", [_LOAD]


def _forms(plan: Plan) -> dict[str, dict[str, Any]]:
    """How the run read each file; nothing before it has."""
    return plan.facts.get("reading") or {}


def _holds_articles(plan: Plan) -> bool:
    data = plan.spec["data"]
    if plan.task != "question-answering" or format_of(data) != "json":
        return False
    forms = _forms(plan)
    if not forms:
        return any(name.lower().endswith(".json") for name in names_of(data))
    return any("articles" in form for form in forms.values())


def _of_hub(plan: Plan, flat: str) -> str:
    data, forms = plan.spec["data"], _forms(plan)
    config, files = data.get("config"), plan.facts.get("data_files")
    options: dict[str, Any] = {"data_files": files} if files else {}
    notes = [_FOLDER] if config and not forms else []
    written = [
        {key: form[key] for key in _CSV if key in form} for name, form in forms.items() if table_format(name) == "csv"
    ]
    if written:
        options |= {"keep_default_na": False, **written[0]}  # NA is a word
    if any(form != written[0] for form in written):
        notes.append(_UNLIKE)
    pinned = {"revision": data["revision"]} if data.get("revision") else {}
    read = call("load_dataset", data["dataset"], *([config] if config and not files else []), **options, **pinned)
    return "\n".join([*notes, f"data = {read}{flat}"])


def _of_texts(plan: Plan) -> str:
    """Every cell as it is written: a label 1 is the text 1, and NA is a word."""
    forms = _forms(plan)
    options = {name: csv_options(name, forms.get(name, {})) for name in names_of(plan.spec["data"])}
    note = "" if forms else _DELIMITER
    if len(options) == 1:
        ((name, option),) = options.items()
        read = call("pd.read_csv", name, dtype=Name("str"), keep_default_na=False, **option)
        whole = '.fillna("")' if forms.get(name, {}).get("uneven") else ""
        return f"{note}data = DatasetDict(train=Dataset.from_pandas({read}{whole}))"
    told = {name: option for name, option in options.items() if option}
    read = _TABLE.format(options=", **FORMS.get(file, {})" if told else "")
    listed = f"FORMS = {literal(told)}\n\n\n" if told else "\n"
    return f"{note}{listed}{read}\n\n{_by_split(plan.spec['data'])}"


def csv_options(name: str, form: Mapping[str, Any]) -> dict[str, Any]:
    """What pandas must be told to read a CSV file as the run did."""
    tabs: dict[str, Any] = {"sep": "\t"} if name.lower().endswith(".tsv") else {}
    return {**tabs, **{key: form[key] for key in _CSV if key in form}}


def _by_split(data: Mapping[str, Any]) -> str:
    """Defines `data` by `table`."""
    read = [f"{literal(split)}: {call('table', *names, indent=4)}" for split, names in tables(data).items()]
    return "data = DatasetDict({\n" + "".join(f"    {one},\n" for one in read) + "})"


_DELIMITER = '# A delimiter other than the comma has to be told, as sep=";".\n'
_FOLDER = "# Where this is a folder of the data set, and no configuration that its card names, read it by data_dir."
_UNLIKE = (
    "# Not all of its files have one delimiter, encoding and header, as is taken for granted here; the run saw to it."
)

_TABLE = '''def table(*files):
    """The rows of some files, every cell as it is written: a label 1 is the text 1, and NA is a word."""
    tables = [pd.read_csv(file, dtype=str, keep_default_na=False{options}) for file in files]
    return Dataset.from_pandas(pd.concat(tables, ignore_index=True).fillna(""))
'''

_RECORDS = '''
def records_of(file):
    """The objects of a JSON file: of a list, below `data`, one a line, or put together from an object of lists."""
    text = Path(file).read_text("utf-8-sig")
    try:
        records = json.loads(text)
    except json.JSONDecodeError:
        return [json.loads(line) for line in text.split("\\n") if line.strip()]
    if isinstance(records, list):
        return records
    lists = all(isinstance(value, list) for value in records.values())
    return records.get("data") or ([dict(zip(records, row)) for row in zip(*records.values())] if lists else [records])

'''
_OBJECTS = '''
def table(*files):
    """The rows of some files."""
    return Dataset.from_list([record for file in files for record in records_of(file)])
'''
_ARTICLES = '''
def table(*files):
    """The questions of articles in SQuAD's own form, or the rows of any other."""
    records = [record for file in files for record in records_of(file)]
    return Dataset.from_list(questions(records) or records)
'''
