"""The field's terms in short plain sentences, in one dialog that links to a term open: `#term-learning-rate`."""

from __future__ import annotations

import re

from components.widgets.html import escape

#: Term -> what it means. A term in square brackets within a text is a link to its own entry.
TERMS = {
    "Accuracy": "The share of examples that a model gets right. It flatters a model where one class is much more "
    "common than the others; look at [F1] as well.",
    "Architecture": "The plan of a model: which layers it has, and how they are joined. One architecture, such as "
    "BERT, has many [checkpoint]s.",
    "Attention mask": "A row of ones and zeros beside the [token ids]. A zero tells the model not to look at that "
    "place, which holds [padding].",
    "Base model": "The model that a fine-tuned one was made from. Its name stands in the [model card], so that "
    "others can follow the line.",
    "Batch": "Several examples that go through a model together. Their [tensor] has a first dimension more, and the "
    "machine is used better than with one at a time.",
    "Beam search": "A way to write text that follows several beginnings at once and keeps the likeliest whole. It is "
    "slower than taking the likeliest [token] each time.",
    "BPE": "Byte-pair encoding: a [subword] method that begins with characters or bytes and joins the pair that is "
    "most frequent, again and again.",
    "Chat template": "The pattern, kept with a [tokenizer], that writes a conversation as the one text which the "
    "model was trained on. Another model marks its turns in another way.",
    "Checkpoint": "The weights of a model as they were at one moment. What you load from the Hub is one; a training "
    "run writes more of them, to go on from.",
    "Commit": "One saved state of a [repository], named by a long number. It never changes, so naming it makes a "
    "result repeatable.",
    "Config": "The file `config.json` beside the weights: which [architecture], how many layers, how large, which "
    "labels. Without it the weights are only numbers.",
    "Data collator": "What makes a [batch] of single examples: it adds [padding] up to the longest, and labels where "
    "they follow from the text.",
    "Data set": "Examples to train and measure on, mostly a table with a column for the text and one for the answer. "
    "It is divided into [split]s.",
    "Decoder": "A model that reads only what came before and says what comes next. GPT is one; it is used to write.",
    "Device": "What the numbers are worked out on: a processor (cpu) or a graphics card (cuda). Model and input have "
    "to be on the same one.",
    "Dtype": "How each number is stored: float32 takes four bytes, bfloat16 two. Fewer bytes are quicker and "
    "smaller, and a little less exact.",
    "Embedding": "A row of numbers that stands for a [token] or a text. Texts that mean nearly the same have rows "
    "that lie near each other.",
    "Encoder": "A model that reads a whole text at once, forwards and backwards, and gives numbers for each [token]. "
    "BERT is one; it is used to classify and to compare.",
    "Encoder-decoder": "Two models in one: an [encoder] reads the input, a [decoder] writes the output. It is used "
    "to translate and to shorten.",
    "Epoch": "One pass of the training over all of its examples. A small model on small data often needs two or three.",
    "Evaluation": "Measuring a model on examples that it was not trained on. Only that tells what it will do with "
    "new ones.",
    "F1": "The balance of two shares: how many of the found ones are right, and how many of the right ones are "
    "found. It is fairer than [accuracy] where a class is rare.",
    "Fine-tuning": "Training a model that already knows a language a little further, on your own examples. It needs "
    "far less data and time than training from nothing.",
    "Front matter": "The block between two lines of `---` at the top of a [model card]. The Hub reads language, "
    "licence and task from it, and filters by them.",
    "Gold answers": "The right answers to rows that a model is measured on, given by people. Training calls them "
    "[label]s.",
    "Gradient": "For each weight, in which direction and how strongly the [loss] changes with it. Training moves the "
    "weights the other way.",
    "Head": "The last layer, which turns [hidden states] into answers of one task. The same body can carry different "
    "heads.",
    "Hidden states": "What a model makes of each [token] between input and output: a [tensor] of batch size, length "
    "and hidden size.",
    "Inference": "Using a trained model to get an answer. Its weights stay as they are.",
    "Label": "The right answer to an example, from which a model learns. For a model that writes, the labels are the "
    "text itself, one place further on.",
    "Learning rate": "How far each [step] of the training moves the weights. Too high and the [loss] jumps; too low "
    "and nothing is learned in the time there is.",
    "Logits": "The raw scores that a [head] gives, one for each class or each token. They can be any number; "
    "[softmax] turns them into probabilities.",
    "LoRA": "A way of [fine-tuning] that leaves the weights alone and trains small tables beside them. It takes less "
    "memory, and the result is a file of a few megabytes.",
    "Loss": "One number for how wrong the model is. Training makes it smaller; on examples it has not seen it may "
    "rise again, which is [overfitting].",
    "Metric": "A figure that people judge a model by, such as [accuracy] or [F1]. Unlike the [loss] it needs no "
    "[gradient].",
    "Model card": "The README of a model: what it is for, what it was trained on, how well it does, where it fails. "
    "It begins with the [front matter].",
    "Model-index": "The part of the [front matter] that holds measured results in a form that machines read: task, "
    "data set, [metric], value.",
    "Normalizer": "The first stage of a [tokenizer]: it tidies the text, for example into small letters or without "
    "accents.",
    "Offsets": "Where in the text each [token] begins and ends, counted in characters. They lead from an answer back "
    "to the words.",
    "Overfitting": "A model that learns its examples by heart: it does better and better on them, and worse on new "
    "ones.",
    "Padding": "Filling up the shorter texts of a [batch] so that all rows are of one length. The [attention mask] "
    "tells the model to look past it.",
    "Parameters (weights)": "The numbers that a model has learned, millions or billions of them. Their count and "
    "their [dtype] say how much memory it takes.",
    "Perplexity": "The [loss] of a text as a count: among how many equally likely [token]s the model has to guess each "
    "time. Lower is better, and only models with one [vocabulary] can be compared by it.",
    "Pipeline": "One call that does all three steps: text to numbers, the model, numbers to an answer. It chooses a "
    "model for the task if you name none.",
    "Pull request": "A change that you propose for somebody else's [repository]. They look at it and take it, or not.",
    "Pre-tokenizer": "The stage that cuts a text into words, before these are cut into [subword]s. No token reaches "
    "across its cuts.",
    "Probability": "A share between 0 and 1. A high one means that the model is sure, not that it is right.",
    "Push": "Sending files to a [repository] on the Hub, as a new [commit].",
    "Repository": "A folder with a history on the Hub: a model, a data set or an app. Its id is `owner/name`.",
    "Revision": "Which state of a [repository] is meant: a branch such as `main`, a tag, or a [commit].",
    "Safetensors": "A file format for weights that holds numbers only. Loading one can run no code, as older formats "
    "can.",
    "Sampling": "Writing text by drawing each [token] by chance, the likelier the more often. [Temperature] sets how "
    "daring it is.",
    "Seed": "The number that chance begins with. The same seed, data and settings give the same run again.",
    "SentencePiece": "A family of tokenizers that read the raw text with its spaces, which they write as ▁. So they "
    "fit languages that put no spaces between words.",
    "Softmax": "A function that makes the [logits] positive and lets them add up to 1, so that they can be read as "
    "probabilities.",
    "Special tokens": "Tokens that stand for no text: the beginning, the end, [padding], a gap to fill. The "
    "[tokenizer] adds those that its model expects.",
    "Split": "A part of a [data set]: one to train on, one to choose settings by (validation), one to measure on at "
    "the end (test).",
    "Step": "One [batch] through the model, and one change of its weights. An [epoch] has as many as there are "
    "batches.",
    "Subword": "A piece of a word. Frequent words stay whole, rare ones are put together from pieces, so that "
    "hardly any word is unknown.",
    "Temperature": "A number that the [logits] are divided by before a token is drawn. Below 1 the text is safer, "
    "above 1 wilder.",
    "Tensor": "Numbers in a grid with any count of dimensions, named by its shape: (2, 16, 768) is two texts of 16 "
    "tokens with 768 numbers each.",
    "Token": "The unit that a model reads and writes: a word, a [subword], a character or a byte. One English word "
    "is a little more than one token.",
    "Token ids": "The numbers of the tokens in the [vocabulary]. They are all that a model sees of a text.",
    "Tokenizer": "What turns text into [token ids] and back. It belongs to its model: another one's ids mean other "
    "words.",
    "Truncation": "Cutting off what is longer than the model can read. What is cut off is not seen at all.",
    "Unigram": "A [subword] method that starts with many pieces and drops those that are missed least. It takes the "
    "likeliest way to cut a word.",
    "Vocabulary": "All [token]s that a [tokenizer] knows, each with its number. A larger one makes shorter rows and "
    "a larger model.",
    "Warm-up": "The first [step]s of a training, in which the [learning rate] rises from nothing. It keeps the start "
    "from spoiling what the model knew.",
    "WordPiece": "The [subword] method of BERT. Pieces that go on a word begin with ##.",
    "Zero-shot": "Sorting into labels that the model has never been trained on. It asks of each label whether the "
    "text supports it.",
}
#: The field of a form -> the term that its help text leads to.
_FIELDS = {
    "batch_size": "Batch",
    "chat_template": "Chat template",
    "clipping": "Gradient",
    "do_sample": "Sampling",
    "epochs": "Epoch",
    "function_to_apply": "Softmax",
    "learning_rate": "Learning rate",
    "method": "LoRA",
    "metric": "Metric",
    "num_beams": "Beam search",
    "padding": "Padding",
    "pooling": "Embedding",
    "seed": "Seed",
    "temperature": "Temperature",
    "warmup": "Warm-up",
}
_LINK = re.compile(r"\[([^\[\]]+)\]")
_CODE = re.compile(r"`([^`]+)`")


def anchor(term: str) -> str:
    """The id of an entry: `Learning rate` is `term-learning-rate`."""
    return f"term-{re.sub('[^a-z0-9]+', '-', term.partition(' (')[0].lower())}"


def linked(text: str) -> str:
    """Text as HTML, with the terms in square brackets as links to their entries and what is in backticks as code."""
    linked = _LINK.sub(lambda term: f'<a href="#{anchor(term[1])}">{term[1]}</a>', escape(text))
    return _CODE.sub(r"<code>\1</code>", linked)


def field_help(name: str, text: str) -> str:
    """The help text of a field, in Markdown: a link into the glossary where the field is about one of its terms."""
    return f"[{text}](#{anchor(_FIELDS[name])})" if name in _FIELDS else text


def glossary() -> str:
    """The dialog, closed; a search field sifts its entries."""
    entries = "".join(
        f'<div class="wb-term" id="{anchor(term)}" tabindex="-1"><dt>{escape(term)}</dt><dd>{linked(told)}</dd></div>'
        for term, told in sorted(TERMS.items(), key=lambda one: one[0].lower())
    )
    return f"""<dialog class="wb-glossary" aria-labelledby="wb-glossary-title"><div class="wb-glossary-head"><h2
id="wb-glossary-title">Glossary</h2><input type="search" placeholder="Search" aria-label="Search the glossary"><button
type="button" class="wb-quiet-button" data-close>Close</button></div><dl>{entries}</dl><p class="wb-none" hidden>No term
here fits.</p></dialog>"""
