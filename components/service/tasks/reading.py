"""Tasks that answer questions about a text, a table or a situation."""

from components.service.tasks.spec import InputSpec, ParameterSpec, TaskSpec

QUESTION_ANSWERING = TaskSpec(
    name="question-answering",
    title="Question answering",
    summary="Finds the answer to a question in a text, as a piece of that text.",
    inputs=(InputSpec("question", "Question"), InputSpec("context", "Text that holds the answer")),
    parameters=(
        ParameterSpec("top_k", "int", 1, "How many answers to return, best first.", 1, 100),
        ParameterSpec("max_answer_len", "int", 15, "Most tokens of an answer.", 1, 500),
        ParameterSpec(
            "handle_impossible_answer", "bool", False, "Let the model say that the text does not hold the answer."
        ),
        ParameterSpec(
            "max_seq_len",
            "int",
            None,
            "Most tokens of question and text that are read at once, a longer text in chunks; 384 where not given, or "
            "less where the model reads less.",
            8,
            100_000,
        ),
        ParameterSpec(
            "doc_stride", "int", None, "How many tokens two chunks share; 128 at most where not given.", 0, 10_000
        ),
        ParameterSpec("max_question_len", "int", None, "Cut the question after this many tokens.", 1, 10_000),
        ParameterSpec(
            "align_to_words",
            "bool",
            True,
            "Widen an answer to whole words; better off in languages without spaces, such as Chinese.",
        ),
    ),
    output="answers",
    auto_classes=("AutoModelForQuestionAnswering",),
    head="question answering head",
    examples=(
        {"question": "Where do I work?", "context": "My name is Sylvain and I work at Hugging Face in Brooklyn."},
        {"question": "Where do I live?", "context": "My name is Merve and I live in İstanbul."},
    ),
    starter_model="starter/answers",
    hub_model="distilbert/distilbert-base-cased-distilled-squad",
    runner="answer:Answerer",
    revived=True,
)

TABLE_QUESTION_ANSWERING = TaskSpec(
    name="table-question-answering",
    title="Table question answering",
    summary="Answers a question from the cells of a table.",
    inputs=(InputSpec("query", "Question", aliases=("question",)), InputSpec("table", "Table", "table")),
    parameters=(
        ParameterSpec(
            "padding",
            "choice",
            None,
            "Whether ids are filled up to the longest input, or to the longest that the model reads.",
            choices=("do_not_pad", "longest", "max_length"),
        ),
        ParameterSpec(
            "sequential", "bool", None, "Read questions one after another, as models of conversations need it."
        ),
        ParameterSpec(
            "truncation", "bool", None, "Leave out the last rows of a table that is too long; otherwise it is refused."
        ),
    ),
    output="cells",
    auto_classes=("AutoModelForTableQuestionAnswering",),
    head="table question answering head",
    examples=(
        {
            "query": "How many stars does the transformers repository have?",
            "table": {
                "Repository": ["Transformers", "Datasets", "Tokenizers"],
                "Stars": ["36542", "4512", "3934"],
                "Contributors": ["651", "77", "34"],
                "Programming language": ["Python", "Python", "Rust, Python and NodeJS"],
            },
        },
    ),
    hub_model="google/tapas-base-finetuned-wtq",
    runner="table:TableAnswerer",
)

DECISION = TaskSpec(
    name="decision",
    title="Decision",
    summary="Answers questions about a situation with a probability for each option, without writing a text.",
    inputs=(
        InputSpec("state", "Situation", "json", help="A text, or any JSON value that describes it."),
        InputSpec(
            "questions",
            "Questions",
            "json",
            help='An object such as {"refund": {"type": "noul", "instructions": "Is a refund requested?"}}; a noul '
            "question is true or false, a choice has criteria {option: description}, a score [lowest level, ...].",
        ),
    ),
    parameters=(),
    output="decisions",
    auto_classes=("AutoModelForDecision", "AutoModelForImageTextToText", "AutoModelForCausalLM"),
    head="decision or language modelling head",
    examples=(
        {
            "state": "I was charged twice for my order and want a refund.",
            "questions": {
                "refund": {"type": "noul", "instructions": "Is a refund requested?"},
                "tone": {
                    "type": "choice",
                    "instructions": "What is the tone?",
                    "criteria": {"calm": "A polite message", "angry": None},
                },
                "urgency": {
                    "type": "score",
                    "instructions": "How urgent is it?",
                    "criteria": ["Can wait", "This week", "Today"],
                },
            },
        },
    ),
    hub_model="Qwen/Qwen2.5-0.5B-Instruct",
    runner="decide:Decider",
)

READING_TASKS = (QUESTION_ANSWERING, TABLE_QUESTION_ANSWERING, DECISION)
