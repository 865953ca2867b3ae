"""Parameters of models that write, one token after another: what all of them take, and those that hear or see."""

from components.service.tasks.spec import ParameterSpec

MAX_NEW_TOKENS = ParameterSpec(
    "max_new_tokens",
    "int",
    None,
    "Most tokens to write; the model's own choice where not given.",
    1,
    limit="new_tokens",
)
TEMPERATURE = ParameterSpec(
    "temperature",
    "float",
    None,
    "Above 1 more surprising, below 1 safer.",
    0.01,
    100,
    instead="To take the likeliest token each time, leave it empty and turn do_sample off.",
)
TOP_K = ParameterSpec("top_k", "int", None, "Draw among this many likeliest tokens only; 0 for all.", 0, 100_000)
TOP_P = ParameterSpec(
    "top_p", "float", None, "Draw among the likeliest tokens that add up to this probability.", 0.001, 1
)
REPETITION_PENALTY = ParameterSpec(
    "repetition_penalty", "float", None, "Above 1 repeats less; 1 changes nothing.", 0.1, 10
)
NUM_BEAMS = ParameterSpec("num_beams", "int", None, "Follow this many best continuations at once.", 1, 8)
SEED = ParameterSpec("seed", "int", None, "The same seed draws the same tokens again.", 0, 2**32 - 1)

WRITING = (
    MAX_NEW_TOKENS,
    ParameterSpec(
        "do_sample",
        "bool",
        None,
        "Draw each token at random by its probability, or take the likeliest one; the model's own choice where not "
        "given. On when a parameter of sampling is given.",
    ),
    TEMPERATURE,
    TOP_K,
    TOP_P,
    REPETITION_PENALTY,
    NUM_BEAMS,
    SEED,
)

#: What goes to `generate`; the seed does not.
GENERATE = tuple(one.name for one in WRITING if one.name != "seed")
