"""What one sees in each view, in three sentences for those who meet it for the first time."""

from __future__ import annotations

import gradio as gr

from components.widgets.glossary import linked

#: By the id of the tab and the title of the view. Terms in square brackets are links into the glossary.
VIEWS = {
    "playground": {
        "Result": "This is the model's answer to what you gave it. A classifier gives each [label] a [probability]: "
        "mostly they add up to 1, and the longest bar is its answer. The small figures say how long it took, where "
        "it ran and which [commit] of the model answered.",
        "Under the hood": "A [pipeline] is three steps, and here they are one by one. The [tokenizer] turns a text "
        "into [token ids], the model turns these into [logits] or [hidden states], and the last step makes an answer "
        "of them. Every table shows the real [tensor] with its shape.",
        "Code": "This Python gives the same answer on your own machine. With [pipeline] is the short way, step by "
        "step the long one that shows what happens inside. Copy it into a notebook: it runs as it stands.",
        "Batch": "Many inputs at once, each with its own answer or its own error. Give the right [label] of each "
        "row, too, and you see the [accuracy] and where the model is wrong. Rows of similar length go through the "
        "model together in one [batch].",
        "Compare": "The same rows through several models. You see where they agree, where not, and how long each one "
        "takes. The median time is the usual one of a row, and the 95th percentile that of the slow ones.",
        "About": "What the model is made of: its [architecture], its layers and how many [parameters] each of them "
        "holds. Nothing is run for it; the figures come from the [config] and from the headers of the weight files. "
        "The [model card] below says what it was trained on and where it fails.",
    },
    "tokenizer": {
        "Tokens": "Your text as the model reads it: each coloured piece is one [token] with its number. Point at "
        "one, or go to it with Tab, to see its id and the characters it stands for. Dashed ones are [special "
        "tokens], which the [tokenizer] added.",
        "Stages": "The same way in slow motion. The [normalizer] tidies the text, the [pre-tokenizer] cuts it into "
        "words, the model of the tokenizer cuts these into [subword]s, and the last stage adds [special tokens]. At "
        "the end the result is held against the library's own call.",
        "Offsets": "Where each [token] lies in your text. A program uses these [offsets] to mark a name or an answer "
        "in the original words. A token that stands for no text has none.",
        "Batch": "Texts of different lengths in one [tensor]. The shorter ones are filled with [padding], and the "
        "[attention mask] says which places are real. [Truncation] cuts off what is too long.",
        "Decode": "Numbers back into text. The ids are those of your text, or any that you write into the field. Below "
        "stands whether your text comes back as it was, and what the [tokenizer] has lost on the way.",
        "Chat": "A conversation as the one text that the model gets. The [chat template] writes the marks around "
        "each turn. The prompt ends where the model is to begin its answer.",
        "Vocabulary": "All the [token]s that this [tokenizer] knows. Search for a piece to see in which tokens it "
        "occurs, and click one to see how it was put together. A word that is not here is built from smaller pieces.",
        "Compare": "The same text through several tokenizers. Fewer [token]s mean that a model reads more text at "
        "once, and that a service which counts tokens costs less. Languages that a tokenizer has seen little of need "
        "more of them.",
        "Code": "This Python shows the same view on your own machine. It is written for the view that you looked at "
        "last. Copy it into a notebook: it runs as it stands.",
    },
    "finetune": {
        "Data": "Your examples as the training will see them, with what is wrong with them. Each finding names the "
        "rows and offers a remedy, which changes the run and never your file. The last part shows rows as [token]s, "
        "with what is learned marked.",
        "Progress": "The [loss] while the model trains: it should fall, quickly at first. The second line is the "
        "[loss] on examples that it does not train on; where it rises while the first falls, the model is "
        "[overfitting]. The run goes on when you close this page.",
        "Results": "How well the model does on examples that it was not trained on. Beside each [metric] stands what "
        "the model did before, and how far the figure could be chance. The table of errors shows which [label]s it "
        "mixes up.",
        "Before and after": "Your own inputs, answered by the model as it was and as it is now. It is the plainest "
        "way to see what [fine-tuning] has changed. Few rows prove nothing: the results do that.",
        "Code": "This Python does the same run without the workbench. One way uses `Trainer`, another the plain loop "
        "over each [batch]. Copy it: it runs as it stands.",
        "Log": "What the training process wrote, line by line. When a run fails, its reason is at the end. It stays "
        "with the run.",
        "History": "All your runs, with their settings and their best [metric]. Choose two or more to see them side "
        "by side. What differs between them is what made the difference, or chance.",
    },
    "card": {
        "": "A [model card] is a text with a head: the [front matter] for the Hub's filters, and sections for "
        "people. On the left you write it as text or as a form, with findings, what is missing and where each fact "
        "comes from; on the right it stands as the Hub shows it. Figures in a draft are those that your run "
        "recorded, and nothing is published until you press Publish.",
    },
    "hub": {
        "Find": "What is on the Hub in use: models, [data set]s and Spaces. Filters look at the [front matter] of "
        "each [model card]. Choose a row to see its card, files and history on the right.",
        "Yours": "The repositories that you may write to. A new one is private until you make it public. What you "
        "publish from the Model card tab appears here.",
        "Account": "Who the Hub takes you for. An access token is a password with limits: reading is enough to load "
        "models, writing is needed to [push]. It is kept for this page only and forgotten when you sign out.",
        "Card": "The [model card] of this [repository], as its owner wrote it. Look here for what the model is for, "
        "what it was trained on and where it fails. The licence says what you may do with it.",
        "Files": "What lies in this [repository] at the chosen [revision]. Large files are kept beside the history "
        "and only named in it. Weights in [safetensors] can run no code when they are loaded.",
        "History": "Each line is a [commit]: what was changed, when, and by whom. Branches and tags are names for "
        "one of them. Name a commit in your code, and you get the same files for ever.",
        "Discussions": "What people have asked and proposed here. A [pull request] holds a change that the owner can "
        "take. Nothing of it counts before that.",
        "Metadata": "The [front matter] as the Hub understood it. Its filters and the task of the model come from "
        "here. A [model-index] holds measured results.",
        "Manage": "Changes to this [repository]: upload and delete files, name a [revision], rename it, show or hide "
        "it. Each of them is a [commit] or a call to the Hub, with the Python for it under Learn. What is deleted is "
        "gone.",
        "Learn": "The same action in three ways: in Python, with the models' own `push_to_hub`, and with git. The "
        "names in the code are those of the repository that is open. Copy it: it runs as it stands.",
    },
}


def explain(tab: str, view: str = "") -> gr.HTML:
    """Place the explanation of a view, folded, on the page being built."""
    told = linked(VIEWS[tab][view])
    folded = f'<details class="wb-explain"><summary>What am I seeing?</summary><p>{told}</p></details>'
    return gr.HTML(folded, padding=False, apply_default_css=False)
