"""What the family files of this package are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from components.service.errors import WorkbenchError
from components.service.snippets.code import literal
from components.service.tasks import TaskSpec

#: Inputs that are files.
MEDIA = ("image", "audio", "video")
#: Files that a remark names.
_NAMED = 5


@dataclass(frozen=True)
class Steps:
    """A task by hand, with Auto classes.

    Attributes:
        body: Paragraphs of code: preprocess, forward, postprocess. `model` is there, and each of `parts`; the last
            one leaves what the view shows in `result` and prints it.
        parts: What is loaded from the model's id besides the model: variable and Auto class.
        names: Further names to import from transformers.
        imports: Further lines of import.
    """

    body: list[str]
    parts: Mapping[str, str] = field(default_factory=lambda: {"tokenizer": "AutoTokenizer"})
    names: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()


#: Writes the steps of one task, from one input and the parameters as they were used.
StepsOf = Callable[[Any, dict[str, Any]], Steps]


@dataclass(frozen=True)
class Called:
    """How a task's pipeline is called, where it is not `pipe(inputs, **parameters)`.

    Attributes:
        line: The call, such as `pipe(image, question=...)`.
        before: Code between the pipeline's making and its call; `pipe` is there.
        after: Code that turns `result` into what the view shows.
        imports: Further lines of import.
    """

    line: str
    before: str = ""
    after: str = ""
    imports: tuple[str, ...] = ()


#: Writes the call of one task's pipeline, from its inputs (one, or a list of them) and the parameters as they were
#: used; `seed` is taken out already.
CallOf = Callable[[Any, dict[str, Any]], Called]


def part(item: Any, name: str) -> Any:
    """One of several inputs.

    Raises:
        WorkbenchError: It is not there.
    """
    if not isinstance(item, Mapping) or name not in item:
        raise WorkbenchError(f"The inputs have to be an object with {name}.", field="inputs")
    return item[name]


def file_name(value: Any, otherwise: str = "input") -> str:
    """The name that a file goes by in a snippet: an image, sound or video that the reader puts beside it."""
    if isinstance(value, Mapping):
        name = value.get("sample") or value.get("name") or value.get("file") or otherwise
        return str(name).replace("\\", "/").rpartition("/")[2] or otherwise
    return otherwise


def with_files(value: Any, kinds: Mapping[str, str]) -> Any:
    """Inputs with every file as its name; `kinds` names the kind of each file input, for those that have no name."""
    if isinstance(value, list):
        return [with_files(one, kinds) for one in value]
    if isinstance(value, Mapping) and {"file", "sample"} & set(value):
        return file_name(value)
    if isinstance(value, Mapping):
        return {name: file_name(one, name) if name in kinds else one for name, one in value.items()}
    return value


def file_names(value: Any, kind: str) -> Any:
    """The name of one file, or of each of a list of them."""
    return [file_names(one, kind) for one in value] if isinstance(value, list) else file_name(value, kind)


def beside(spec: TaskSpec, inputs: Any) -> str:
    """A remark about the files that a program of the task opens; empty where it opens none that has a name."""
    if not any(one.kind in MEDIA for one in spec.inputs):
        return ""
    names = list(dict.fromkeys(_files_in(inputs)))
    told = f"{', '.join(map(literal, names[:_NAMED]))}{' and more' if len(names) > _NAMED else ''}"
    return (
        f"# Put {told} beside this program, or write where {'it is' if len(names) == 1 else 'they are'}."
        if names
        else ""
    )


def _files_in(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping) and {"file", "sample"} & set(value):
        yield file_name(value)
    elif isinstance(value, (list, Mapping)):
        for one in value.values() if isinstance(value, Mapping) else value:
            yield from _files_in(one)


#: What `reading` needs.
LOAD_IMAGE = "from transformers.image_utils import load_image"


def reading(variable: str, value: Any, kind: str) -> str:
    """A line that opens an image, under its name: in RGB, turned as its camera says."""
    return f"{variable} = load_image({literal(file_name(value, kind))})"
