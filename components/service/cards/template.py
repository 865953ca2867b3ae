"""What a card tells, in order: its sections, what each is for, and what only the author can say in it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Section:
    """One section of a card.

    Attributes:
        title: Its heading, of the second level.
        words: What the headings of other cards have that tell the same, in small letters.
        why: Who needs it, and what for.
        course: Whether the Hugging Face course asks for it.
        paper: The sections of "Model Cards for Model Reporting" (Mitchell et al., 2019) that it stands for.
        questions: What no record tells, so that a draft asks its author.
        drafted: Whether a draft has it even where there is nothing to fill in.
    """

    title: str
    words: tuple[str, ...]
    why: str
    course: bool = False
    paper: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    drafted: bool = True


TEMPLATE: tuple[Section, ...] = (
    Section(
        "Model description",
        ("description", "model details", "about", "overview", "summary"),
        "Whoever finds the model learns what it is and whose it is.",
        course=True,
        paper=("Model details",),
        questions=(
            "Who made this model, and who holds the rights in it and in what it started from?",
            "Which version is it, and where is the original implementation or paper, if there is one?",
        ),
    ),
    Section(
        "Intended uses and limitations",
        ("intended use", "uses", "use cases", "direct use"),
        "Whoever wants to use the model learns whether it is made for that.",
        course=True,
        paper=("Intended use",),
        questions=(
            "For which languages, fields and purposes is this model meant?",
            "For which uses is it not meant?",
        ),
    ),
    Section(
        "How to use",
        ("how to use", "how to get started", "get started", "usage", "quickstart", "example"),
        "Code that runs as it stands, with the model and with what prepares its inputs.",
        course=True,
    ),
    Section(
        "Limitations and bias",
        ("bias", "risks", "ethical", "limitations", "limits", "caveats", "recommendations"),
        "What goes wrong, and for whom, is known to the author first.",
        course=True,
        paper=("Ethical considerations", "Caveats and recommendations"),
        questions=(
            "Which errors, groups of people or kinds of inputs does the model treat worse, as far as you know?",
            "Can its answers harm somebody, or does its data hold anything personal or sensitive?",
            "What should its users do about that, and what should be examined further?",
        ),
    ),
    Section(
        "Training data",
        ("training data", "training and evaluation data", "dataset", "data"),
        "What the model has seen decides what it knows.",
        course=True,
        paper=("Training data",),
        questions=("Where do the rows come from, who wrote and labelled them, and under which licence?",),
    ),
    Section(
        "Training procedure",
        ("training procedure", "training details", "hyperparameters", "how it was trained"),
        "With the settings, others can repeat the training.",
        course=True,
    ),
    Section(
        "Variables and metrics",
        ("metrics", "variables", "factors", "evaluation data"),
        "A figure means something once one knows what was measured, and on which rows.",
        course=True,
        paper=("Factors", "Metrics", "Evaluation data"),
        questions=(
            "On which groups of people, conditions or instruments may the results depend, and which were told apart?",
        ),
    ),
    Section(
        "Evaluation results",
        ("evaluation", "results", "performance", "benchmark"),
        "How good the model is, how sure that is, and what it is better than.",
        course=True,
        paper=("Quantitative analyses",),
    ),
    Section(
        "Environmental impact",
        ("environmental", "carbon", "emissions", "co2"),
        "Readers can weigh what the training cost.",
        questions=("Where did the machine stand, and how much CO2 did the training cause, if that was measured?",),
    ),
    Section(
        "Technical specifications",
        ("technical", "specification", "architecture", "infrastructure"),
        "What the model needs to be run, and what is inside.",
    ),
    Section(
        "Citation",
        ("citation", "cite", "bibtex"),
        "Others can name the work that they build on.",
        questions=("How should the model be cited, if it should?",),
    ),
    Section(
        "Glossary",
        ("glossary", "terms"),
        "Words that readers from other fields may not know.",
        drafted=False,
    ),
    Section(
        "Model card authors",
        ("card authors", "card author", "authors", "contact"),
        "Readers know whom to ask.",
        questions=("Who wrote this card, and how can they be reached?",),
    ),
)


def section_of(heading: str) -> Section | None:
    """The section of the template that a heading stands for: one of its title, else the first one with its words."""
    asked = heading.strip().lower()
    for section in TEMPLATE:
        if section.title.lower() == asked:
            return section
    return next((section for section in TEMPLATE if any(word in asked for word in section.words)), None)
