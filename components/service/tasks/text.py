"""Tasks that read text and judge it."""

from components.service.tasks.spec import InputSpec, ParameterSpec, TaskSpec

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
    examples=(
        "I've been waiting for a HuggingFace course my whole life.",
        "I hate this so much!",
        "This restaurant is awesome",
    ),
    starter_model="starter/sentiment",
    hub_model="distilbert/distilbert-base-uncased-finetuned-sst-2-english",
    runner="classify:Classifier",
    batches=True,
    aliases=("sentiment-analysis",),
)

TEXT_TASKS = (TEXT_CLASSIFICATION,)
