"""The guided start: what the workbench is, the circle with one's progress in it, and the course's examples."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from components.widgets.glossary import glossary
from components.widgets.html import escape

#: Opens what is clicked and remembers, in the browser, which steps are done and whether the guide is shown.
SCRIPT = (Path(__file__).parent / "guide.js").read_text()
_WELCOME = """<div class="wb-welcome"><div><h2>Start here</h2><p>This workbench takes one model from the Hub all the way
round: you run it, look inside, fine-tune it, describe it and share it. Every view shows the real tensors and the Python
that gives them again. Go round the circle: each step opens its tab with an example filled in.</p></div>
<span><button type="button" class="wb-quiet-button" data-glossary aria-haspopup="dialog">Glossary</button>
<button type="button" class="wb-quiet-button" data-guide="close">Skip the guide</button></span></div>"""


@dataclass(frozen=True)
class Opens:
    """What one click opens: a tab, with an example filled into its form, and one of its views.

    Attributes:
        title: What it is called.
        tab: The tab's id.
        view: The title of one of the views in the tab; empty for the one that is there.
        task: The task whose example is filled in, where the tab has tasks.
        example: Its number among the task's.
        text: What is filled in where there is no task: a text, or the subject of a card.
        press: The id of the button that is pressed then, where that is done in a moment.
    """

    title: str
    tab: str
    view: str = ""
    task: str = ""
    example: int = 0
    text: str = ""
    press: str = ""


@dataclass(frozen=True)
class Step:
    """One step of the circle.

    Attributes:
        title: What one does.
        told: The same in a sentence.
        opens: Its tab with an example.
        done: A selector of what is on the page once the step is done.
    """

    title: str
    told: str
    opens: Opens
    done: str


@dataclass(frozen=True)
class Chapter:
    """A chapter of the course, with what it shows to be tried."""

    title: str
    examples: tuple[Opens, ...]


def guide(steps: tuple[Step, ...], chapters: tuple[Chapter, ...]) -> str:
    """The guide and the glossary. What a click opens is told by its place among the steps, then the examples."""
    circle = "".join(_step(number, step) for number, step in enumerate(steps))
    return f"""<nav class="wb-guide" aria-label="The way round" hidden>{_WELCOME}
<div class="wb-way"><ol class="wb-circle">{circle}</ol><span class="wb-way-ends">
<button type="button" data-guide="open">Guide</button>
<button type="button" data-glossary aria-haspopup="dialog">Glossary</button></span></div>
<details class="wb-course"><summary>Examples for each chapter of the course</summary>{_course(steps, chapters)}
</details><p class="wb-unseen" role="status"></p></nav>{glossary()}"""


def _step(number: int, step: Step) -> str:
    tab = escape(step.opens.tab)
    return f"""<li data-step="{tab}" data-done="{escape(step.done)}">
<button type="button" class="wb-step-name" data-to="{tab}"><b aria-hidden="true">{number + 1}</b>
<span>{escape(step.title)}</span><i class="wb-unseen"></i></button>
<div class="wb-step-more"><p>{escape(step.told)}</p>{_button(number, step.opens)}</div></li>"""


def _course(steps: tuple[Step, ...], chapters: tuple[Chapter, ...]) -> str:
    number, lines = len(steps), []
    for chapter in chapters:
        buttons = "".join(_button(number + place, one) for place, one in enumerate(chapter.examples))
        number += len(chapter.examples)
        lines.append(f"<dt>{escape(chapter.title)}</dt><dd>{buttons}</dd>")
    return f"<dl>{''.join(lines)}</dl>"


def _button(number: int, opens: Opens) -> str:
    return f"""<button type="button" class="wb-open" data-open="{number}" data-to="{escape(opens.tab)}"
data-view="{escape(opens.view)}" data-press="{escape(opens.press)}">{escape(opens.title)}</button>"""
