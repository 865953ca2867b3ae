"""Tasks that write text."""

from components.service.tasks.spec import InputSpec, ParameterSpec, TaskSpec

#: These count only where tokens are drawn at random; giving one of them asks for that.
SAMPLING = ("temperature", "top_k", "top_p", "typical_p")

TEXT_GENERATION = TaskSpec(
    name="text-generation",
    title="Text generation",
    summary="Continues a text, one token after another.",
    inputs=(InputSpec("text", "Prompt"),),
    parameters=(
        ParameterSpec("max_new_tokens", "int", 50, "Most tokens to add.", 1, limit="new_tokens"),
        ParameterSpec("min_new_tokens", "int", None, "Fewest tokens to add.", 0, limit="new_tokens"),
        ParameterSpec(
            "do_sample",
            "bool",
            False,
            "Draw each token at random by its probability; otherwise the likeliest one is taken. "
            "On when a parameter of sampling is given.",
        ),
        ParameterSpec("temperature", "float", None, "Above 1 more surprising, below 1 safer.", 0.01, 100),
        ParameterSpec("top_k", "int", None, "Draw among this many likeliest tokens only; 0 for all.", 0, 100_000),
        ParameterSpec(
            "top_p", "float", None, "Draw among the likeliest tokens that add up to this probability.", 0.001, 1
        ),
        ParameterSpec("typical_p", "float", None, "Draw among tokens that surprise typically.", 0.001, 1),
        ParameterSpec("repetition_penalty", "float", None, "Above 1 repeats less; 1 changes nothing.", 0.1, 10),
        ParameterSpec("no_repeat_ngram_size", "int", None, "No run of this many tokens comes twice.", 0, 100),
        ParameterSpec("num_beams", "int", None, "Follow this many best continuations at once.", 1, 8),
        ParameterSpec("num_return_sequences", "int", None, "How many continuations to return.", 1, 8),
        ParameterSpec("stop", "list", None, "Stop after any of these texts.", 1, 4),
        ParameterSpec("seed", "int", None, "The same seed draws the same tokens again.", 0, 2**32 - 1),
        ParameterSpec("return_full_text", "bool", True, "Put the prompt before the new text."),
    ),
    output="text",
    auto_classes=("AutoModelForCausalLM",),
    head="language modelling head",
    examples=("Once upon a time", "AP News: The University of Washington recently announced"),
    starter_model="starter/stories",
    hub_model="distilbert/distilgpt2",
    runner="generate:Generator",
    streams=True,
    generates=True,
)

GENERATION_TASKS = (TEXT_GENERATION,)
