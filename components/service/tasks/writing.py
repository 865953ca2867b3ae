"""Parameters of models that write, one token after another, about what they hear or see."""

from components.service.tasks.spec import ParameterSpec

WRITING = (
    ParameterSpec(
        "max_new_tokens",
        "int",
        None,
        "Most tokens to write; the model's own choice where not given.",
        1,
        limit="new_tokens",
    ),
    ParameterSpec(
        "do_sample",
        "bool",
        None,
        "Draw each token at random by its probability, or take the likeliest one; the model's own choice where not "
        "given. On when a parameter of sampling is given.",
    ),
    ParameterSpec("temperature", "float", None, "Above 1 more surprising, below 1 safer.", 0.01, 100),
    ParameterSpec("top_k", "int", None, "Draw among this many likeliest tokens only; 0 for all.", 0, 100_000),
    ParameterSpec("top_p", "float", None, "Draw among the likeliest tokens that add up to this probability.", 0.001, 1),
    ParameterSpec("repetition_penalty", "float", None, "Above 1 repeats less; 1 changes nothing.", 0.1, 10),
    ParameterSpec("num_beams", "int", None, "Follow this many best continuations at once.", 1, 8),
    ParameterSpec("seed", "int", None, "The same seed draws the same tokens again.", 0, 2**32 - 1),
)

#: What goes to `generate`; the seed does not.
GENERATE = tuple(one.name for one in WRITING if one.name != "seed")
