"""Tasks that read text and judge it."""

from components.service.tasks.spec import Example, InputSpec, ParameterSpec, TaskSpec

#: How a mask may be written, whatever the model's own is.
MASKS = ("[MASK]", "<mask>")

_COURSE = "I've been waiting for a HuggingFace course my whole life."

TEXT_CLASSIFICATION = TaskSpec(
    name="text-classification",
    title="Text classification",
    summary="Gives a text one of the labels that the model was trained on, with a score for each.",
    inputs=(InputSpec("text", "Text"), InputSpec("text_pair", "Second text", required=False)),
    parameters=(
        ParameterSpec("top_k", "int", None, "How many labels to return, best first; all where not given.", 1, 1000),
        ParameterSpec(
            "function_to_apply",
            "choice",
            None,
            "What turns logits into scores; the model's own choice where not given.",
            choices=("softmax", "sigmoid", "none"),
        ),
    ),
    output="labels",
    auto_classes=("AutoModelForSequenceClassification",),
    head="classification head",
    examples=(_COURSE, "I hate this so much!", "This restaurant is awesome"),
    starter_model="starter/sentiment",
    hub_model="distilbert/distilbert-base-uncased-finetuned-sst-2-english",
    runner="classify:Classifier",
    aliases=("sentiment-analysis",),
)

#: Training labels the first token of a word, as a rule, so that says most.
_BY_WORD = {"aggregation_strategy": "first"}

TOKEN_CLASSIFICATION = TaskSpec(
    name="token-classification",
    title="Token classification",
    summary="Finds the names in a text, or gives each of its words a label.",
    inputs=(InputSpec("text", "Text"),),
    parameters=(
        ParameterSpec(
            "aggregation_strategy",
            "choice",
            "simple",
            "How tokens are joined into entities: not at all (none), neighbours with the same label (simple), or whole "
            "words too, by their first token, the average of their tokens, or their surest one.",
            choices=("none", "simple", "first", "average", "max"),
        ),
        ParameterSpec(
            "ignore_labels", "list", None, "Labels that are left out of the result; O where not given.", 0, 100
        ),
        ParameterSpec(
            "stride",
            "int",
            None,
            "Read a text that is too long for the model in chunks that share this many tokens; cut where not given.",
            0,
            10_000,
        ),
    ),
    output="spans",
    auto_classes=("AutoModelForTokenClassification",),
    head="token classification head",
    examples=(
        Example("My name is Sylvain and I work at Hugging Face in Brooklyn.", _BY_WORD),
        Example("My name is Clara and I live in Berkeley, California.", _BY_WORD),
    ),
    starter_model="starter/names",
    hub_model="dbmdz/bert-large-cased-finetuned-conll03-english",
    runner="label_tokens:TokenClassifier",
    aliases=("ner",),
)

FILL_MASK = TaskSpec(
    name="fill-mask",
    title="Fill-mask",
    summary="Finds words for a gap in a text, the mask.",
    inputs=(InputSpec("text", "Text with a mask", help="Write [MASK] or <mask> where a word is to be found."),),
    parameters=(
        ParameterSpec("top_k", "int", 5, "How many words to return for each mask, likeliest first.", 1, 1000),
        ParameterSpec("targets", "list", None, "Score these words only; each should be one token.", 1, 100),
    ),
    output="fills",
    auto_classes=("AutoModelForMaskedLM",),
    head="masked language modelling head",
    examples=(
        "This course will teach you all about [MASK] models.",
        Example("Le camembert est <mask> :)", starter_model="starter/masks-fr", hub_model="almanach/camembert-base"),
    ),
    starter_model="starter/masks",
    hub_model="distilbert/distilroberta-base",
    runner="fill_mask:MaskFiller",
)

ZERO_SHOT_CLASSIFICATION = TaskSpec(
    name="zero-shot-classification",
    title="Zero-shot classification",
    summary="Sorts a text under labels of your own, without training for them.",
    inputs=(InputSpec("text", "Text"),),
    parameters=(
        ParameterSpec(
            "candidate_labels", "list", None, "The labels to choose from, one or more.", 1, 50, required=True
        ),
        ParameterSpec(
            "hypothesis_template",
            "str",
            "This example is {}.",
            "The sentence that each label becomes; {} stands for the label.",
            placeholder="{}",
        ),
        ParameterSpec("multi_label", "bool", False, "Score each label by itself: several may be true, or none."),
    ),
    output="labels",
    auto_classes=("AutoModelForSequenceClassification",),
    head="classification head",
    examples=(
        Example(
            "This is a course about the Transformers library",
            {"candidate_labels": ["education", "politics", "business"]},
        ),
        Example("The team won the match in the last minute.", {"candidate_labels": ["sport", "politics", "food"]}),
    ),
    starter_model="starter/topics",
    hub_model="facebook/bart-large-mnli",
    runner="zero_shot:ZeroShotClassifier",
)

_POOLING = ("mean", "cls", "max", "last")

FEATURE_EXTRACTION = TaskSpec(
    name="feature-extraction",
    title="Feature extraction",
    summary="Gives the vectors of a text: what the model makes of it before any head.",
    inputs=(InputSpec("text", "Text"),),
    parameters=(
        ParameterSpec(
            "pooling",
            "choice",
            "none",
            "From one vector a token to one for the text: their mean, that of the first token (cls) or of the last, "
            "or the largest of each number (max); none keeps them all.",
            choices=("none", *_POOLING),
        ),
        ParameterSpec("normalize", "bool", False, "Make each vector 1 long, so that products are cosines."),
        ParameterSpec(
            "truncate", "bool", True, "Cut a text that is longer than the model reads; otherwise it is refused."
        ),
        ParameterSpec(
            "truncation_direction", "choice", "right", "At which end a text is cut.", choices=("left", "right")
        ),
    ),
    output="vectors",
    auto_classes=("AutoModel",),
    head="body that transformers knows",
    examples=(_COURSE, Example("This is a course about the Transformers library", {"pooling": "mean"})),
    starter_model="starter/meanings",
    hub_model="distilbert/distilbert-base-cased",
    runner="embed:Embedder",
)

SENTENCE_SIMILARITY = TaskSpec(
    name="sentence-similarity",
    title="Sentence similarity",
    summary="Says how near in meaning sentences are to one sentence.",
    inputs=(
        InputSpec("source_sentence", "Sentence"),
        InputSpec("sentences", "Compared with", "texts", help="One sentence a line."),
    ),
    parameters=(
        ParameterSpec(
            "pooling",
            "choice",
            None,
            "From one vector a token to one for the sentence: their mean, that of the first token (cls) or of the "
            "last, or the largest of each number (max); the model's own choice where not given.",
            choices=_POOLING,
        ),
    ),
    output="scores",
    auto_classes=("AutoModel",),
    head="body that transformers knows",
    examples=(
        {
            "source_sentence": "That is a happy person",
            "sentences": ["That is a happy dog", "That is a very happy person", "Today is a sunny day"],
        },
    ),
    starter_model="starter/meanings",
    hub_model="sentence-transformers/all-MiniLM-L6-v2",
    runner="embed:Comparer",
    revived=True,
)

TEXT_TASKS = (
    TEXT_CLASSIFICATION,
    TOKEN_CLASSIFICATION,
    FILL_MASK,
    ZERO_SHOT_CLASSIFICATION,
    FEATURE_EXTRACTION,
    SENTENCE_SIMILARITY,
)
