"""What the form starts from for each task: a model, data, and inputs to try before and after."""

from __future__ import annotations

from dataclasses import dataclass

from components.service.settings import Settings


@dataclass(frozen=True)
class Start:
    """A filled form.

    Attributes:
        starter, hub: Models to start from, on the embedded Hub and elsewhere.
        dataset, config: Data on a Hub such as huggingface.co, empty where none is small enough.
        starter_dataset: Data on the embedded Hub, empty where there is none.
        pasted: Rows that show the form which the task reads, in place of a data set.
        samples: Inputs to try, one a line: texts, or questions.
        context: What the questions are asked about.
        pictures: Samples of the app's own to try, on the embedded Hub.
    """

    starter: str
    hub: str
    dataset: str
    config: str = ""
    starter_dataset: str = ""
    pasted: str = ""
    samples: str = ""
    context: str = ""
    pictures: tuple[str, ...] = ()

    def model(self, settings: Settings) -> str:
        """The model to start from on the Hub in use."""
        return self.starter if settings.embedded else self.hub

    def data(self, settings: Settings) -> tuple[str, str]:
        """The data set and its configuration on the Hub in use."""
        return (self.starter_dataset, "") if settings.embedded else (self.dataset, self.config)


_OPINIONS = "I could not stop smiling.\nA complete waste of an evening.\nNot bad at all."
_TAGGED = """tokens\ttags
["Ada", "lives", "in", "London", "."]\t["B-PER", "O", "O", "B-LOC", "O"]
["Paris", "was", "rainy", "."]\t["B-LOC", "O", "O", "O"]
["My", "name", "is", "Omar", "."]\t["O", "O", "O", "B-PER", "O"]
["Marie", "works", "in", "Lyon", "."]\t["B-PER", "O", "O", "B-LOC", "O"]
["We", "met", "Ines", "yesterday", "."]\t["O", "O", "B-PER", "O", "O"]
["The", "train", "to", "Oslo", "was", "late", "."]\t["O", "O", "O", "B-LOC", "O", "O", "O"]
["Nothing", "happened", "today", "."]\t["O", "O", "O", "O"]
["Tom", "and", "Lea", "left", "."]\t["B-PER", "O", "B-PER", "O", "O"]
["She", "moved", "from", "Rome", "to", "Bern", "."]\t["O", "O", "O", "B-LOC", "O", "B-LOC", "O"]
["Call", "Noor", "Khan", "."]\t["O", "B-PER", "I-PER", "O"]
["New", "York", "never", "sleeps", "."]\t["B-LOC", "I-LOC", "O", "O", "O"]
["It", "was", "Ken", "."]\t["O", "O", "B-PER", "O"]"""
_ASKED = """question\tcontext\tanswers
Where does Ada live?\tAda lives in London and works at night.\tLondon
Who works at night?\tAda lives in London and works at night.\tAda
When was the bridge built?\tThe bridge was built in 1932 by the city.\t1932
Who built the bridge?\tThe bridge was built in 1932 by the city.\tthe city
What does Omar sell?\tOmar sells oranges at the market.\toranges
Where does Omar sell oranges?\tOmar sells oranges at the market.\tat the market
How old is the tree?\tThe old tree is two hundred years old.\ttwo hundred years
Who painted the door?\tLea painted the door red on Sunday.\tLea
When was the door painted?\tLea painted the door red on Sunday.\tSunday
What colour is the door?\tLea painted the door red on Sunday.\tred"""
_SHORTENED = """text\tsummary
The city council met on Monday. It decided to plant two hundred trees along the river.\tCity to plant two hundred trees.
A storm hit the coast in the night. Nobody was hurt, but many roofs were damaged.\tStorm damages roofs on the coast.
The school has a new library. It opens next week and has a thousand books.\tSchool opens a new library.
The home team won the final. The goal fell in the last minute.\tHome team wins the final.
The museum shows old maps until June. Entry is free on Sundays.\tMuseum shows old maps.
The bakery on the corner closes. Its owner retires after forty years.\tBakery closes after forty years.
The bus to the lake runs again. It had stopped in the winter.\tBus to the lake runs again.
The bridge is closed for repairs. Drivers must take the other road until May.\tBridge closed until May."""
_TRANSLATED = """fr\ten
Bonjour tout le monde.\tHello everyone.
Le train est en retard.\tThe train is late.
J'aime le fromage.\tI like cheese.
Il fait froid ce matin.\tIt is cold this morning.
Où est la gare ?\tWhere is the station?
Le chat dort sur la table.\tThe cat sleeps on the table.
Nous allons à la plage.\tWe are going to the beach.
Merci pour ton aide.\tThank you for your help.
Elle lit un livre.\tShe is reading a book.
La porte est ouverte.\tThe door is open."""

#: By task.
STARTS: dict[str, Start] = {
    "text-classification": Start(
        "starter/encoder",
        "distilbert/distilbert-base-uncased",
        "stanfordnlp/sst2",
        starter_dataset="starter/reviews",
        samples=_OPINIONS,
    ),
    "token-classification": Start(
        "starter/names",
        "distilbert/distilbert-base-cased",
        "tner/wnut2017",
        pasted=_TAGGED,
        samples="My name is Clara and I live in Berkeley.\nOmar met Ines in Oslo.",
    ),
    "question-answering": Start(
        "starter/answers",
        "distilbert/distilbert-base-uncased",
        "rajpurkar/squad",
        pasted=_ASKED,
        samples="Where does Sylvain work?\nWho works at Hugging Face?",
        context="My name is Sylvain and I work at Hugging Face in Brooklyn.",
    ),
    "text-generation": Start(
        "starter/stories",
        "distilbert/distilgpt2",
        "Salesforce/wikitext",
        "wikitext-2-raw-v1",
        starter_dataset="starter/reviews",
        samples="Once upon a time\nThe food was",
    ),
    "fill-mask": Start(
        "starter/masks",
        "distilbert/distilbert-base-uncased",
        "Salesforce/wikitext",
        "wikitext-2-raw-v1",
        starter_dataset="starter/reviews",
        samples="The food was [MASK].\nI [MASK] this place.",
    ),
    "summarization": Start(
        "starter/summaries",
        "google-t5/t5-small",
        "FiscalNote/billsum",
        pasted=_SHORTENED,
        samples="The park by the river has a new playground. It was paid for by the neighbours and opens on Sunday.",
    ),
    "translation": Start(
        "starter/french-english",
        "Helsinki-NLP/opus-mt-fr-en",
        "Helsinki-NLP/opus_books",
        "en-fr",
        pasted=_TRANSLATED,
        samples="Ce cours est produit par Hugging Face.\nLe chat est sur la table.",
    ),
    "image-classification": Start(
        "starter/pictures",
        "google/vit-base-patch16-224-in21k",
        "AI-Lab-Makerere/beans",
        starter_dataset="starter/drawings",
        pictures=("drawing-flower.png", "drawing-car.png"),
    ),
}
