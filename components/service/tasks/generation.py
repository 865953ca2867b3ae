"""Tasks that write text."""

from components.service.tasks.spec import InputSpec, ParameterSpec, TaskSpec
from components.service.tasks.writing import (
    MAX_NEW_TOKENS,
    NUM_BEAMS,
    REPETITION_PENALTY,
    SEED,
    TEMPERATURE,
    TOP_K,
    TOP_P,
)

#: These count only where tokens are drawn at random; giving one of them asks for that.
SAMPLING = ("temperature", "top_k", "top_p", "typical_p")

_LENGTHS = (
    MAX_NEW_TOKENS,
    ParameterSpec("min_new_tokens", "int", None, "Fewest tokens to add.", 0, limit="new_tokens"),
)
_CHOICE = (
    ParameterSpec(
        "do_sample",
        "bool",
        False,
        "Draw each token at random by its probability; otherwise the likeliest one is taken. "
        "On when a parameter of sampling is given.",
    ),
    TEMPERATURE,
    TOP_K,
    TOP_P,
    ParameterSpec("typical_p", "float", None, "Draw among tokens that surprise typically.", 0.001, 1),
    REPETITION_PENALTY,
    ParameterSpec("no_repeat_ngram_size", "int", None, "No run of this many tokens comes twice.", 0, 100),
)
_BEAMS = (
    NUM_BEAMS,
    ParameterSpec(
        "length_penalty", "float", None, "In beam search, above 0 favours longer texts, below 0 shorter ones.", -10, 10
    ),
    ParameterSpec(
        "early_stopping", "bool", None, "End beam search as soon as as many texts are complete as there are beams."
    ),
    ParameterSpec("num_return_sequences", "int", None, "How many continuations to return.", 1, 8),
)
_SPACES = ParameterSpec(
    "clean_up_tokenization_spaces", "bool", None, "Remove the spaces that some tokenizers leave before punctuation."
)
_INPUT = (
    ParameterSpec(
        "prefix", "str", None, "Put before the text, as some models expect it; the model's own where not given."
    ),
    ParameterSpec(
        "max_input_tokens", "int", None, "Most tokens of the text that are read; the rest is cut off.", 1, 1_000_000
    ),
    ParameterSpec(
        "truncation",
        "choice",
        None,
        "Whether a text that is longer than the model reads is cut at its end, or refused (do_not_truncate).",
        choices=("longest_first", "only_first", "do_not_truncate"),
    ),
)
_TEXT_TO_TEXT = (*_LENGTHS, *_CHOICE, *_BEAMS, SEED, *_INPUT, _SPACES)

TEXT_GENERATION = TaskSpec(
    name="text-generation",
    title="Text generation",
    summary="Continues a text, one token after another, or answers in a chat.",
    inputs=(InputSpec("text", "Prompt", "chat", help="A text, or the messages of a chat."),),
    parameters=(
        ParameterSpec("max_new_tokens", "int", 50, "Most tokens to add.", 1, limit="new_tokens"),
        _LENGTHS[1],
        *_CHOICE,
        *_BEAMS,
        ParameterSpec("stop", "list", None, "Stop after any of these texts.", 1, 4),
        SEED,
        ParameterSpec("return_full_text", "bool", True, "Put the prompt before the new text."),
    ),
    output="text",
    auto_classes=("AutoModelForCausalLM",),
    head="language modelling head",
    examples=("Once upon a time", "AP News: The University of Washington recently announced"),
    starter_model="starter/stories",
    hub_model="distilbert/distilgpt2",
    runner="causal:TextGenerator",
    streams=True,
    generates=True,
)

SUMMARIZATION = TaskSpec(
    name="summarization",
    title="Summarization",
    summary="Says in a few sentences what a long text says.",
    inputs=(InputSpec("text", "Text"),),
    parameters=_TEXT_TO_TEXT,
    output="text",
    auto_classes=("AutoModelForSeq2SeqLM",),
    head="head that writes a new text",
    examples=(
        "The city of Lisbon, where two million families live, has opened a large library this week. Many visitors "
        "think that it is a great success.",
    ),
    starter_model="starter/summaries",
    hub_model="google-t5/t5-small",
    runner="seq2seq:TextToText",
    streams=True,
    revived=True,
    generates=True,
)

TRANSLATION = TaskSpec(
    name="translation",
    title="Translation",
    summary="Says in one language what a text says in another.",
    inputs=(InputSpec("text", "Text"),),
    parameters=(
        ParameterSpec(
            "src_lang", "str", None, "Language of the text, by the model's own code, where it reads several."
        ),
        ParameterSpec(
            "tgt_lang", "str", None, "Language to translate to, by the model's own code, where it writes several."
        ),
        *_TEXT_TO_TEXT,
    ),
    output="text",
    auto_classes=("AutoModelForSeq2SeqLM",),
    head="head that writes a new text",
    examples=("Ce cours est produit par Hugging Face.", "Le chat dort dans le jardin.", "Nous apprenons le français."),
    starter_model="starter/french-english",
    hub_model="google-t5/t5-small",
    runner="seq2seq:Translator",
    streams=True,
    revived=True,
    generates=True,
)

TEXT_TO_TEXT = TaskSpec(
    name="text2text-generation",
    title="Text-to-text generation",
    summary="Makes a new text of a text, in the way that the model was trained for.",
    inputs=(InputSpec("text", "Text"),),
    parameters=_TEXT_TO_TEXT,
    output="text",
    auto_classes=("AutoModelForSeq2SeqLM",),
    head="head that writes a new text",
    examples=("Ce cours est produit par Hugging Face.",),
    starter_model="starter/french-english",
    hub_model="google/flan-t5-small",
    runner="seq2seq:TextToText",
    streams=True,
    revived=True,
    generates=True,
)

GENERATION_TASKS = (TEXT_GENERATION, SUMMARIZATION, TRANSLATION, TEXT_TO_TEXT)
