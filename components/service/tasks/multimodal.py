"""Tasks that read several things at once: images, sounds or video with text."""

import json
from pathlib import Path

from components.service.tasks.audio import FUNCTION
from components.service.tasks.spec import Example, InputSpec, ParameterSpec, TaskSpec
from components.service.tasks.writing import WRITING

_INVOICE = {"image": {"sample": "invoice.png"}, "question": "What is the total?"}
_WORDS = {"word_boxes": json.loads((Path(__file__).parent / "invoice.json").read_text(encoding="utf-8"))}
_CHAT = ParameterSpec(
    "chat_template",
    "bool",
    None,
    "Hand everything over as a chat, in the model's chat template, as models need it that were trained to converse; "
    "where not given, if the model has one.",
)

VIDEO_CLASSIFICATION = TaskSpec(
    name="video-classification",
    title="Video classification",
    summary="Says what happens in a video, with one of the labels that the model was trained on.",
    inputs=(InputSpec("video", "Video", "video", help="An MP4, WebM, MOV or AVI file."),),
    parameters=(
        ParameterSpec("top_k", "int", None, "How many labels to return, best first; all where not given.", 1, 1000),
        ParameterSpec(
            "num_frames", "int", None, "How many frames to look at; as many as the model was made for.", 1, 128
        ),
        ParameterSpec(
            "frame_sampling_rate", "int", 1, "Look at every frame (1), every second one (2), and so on.", 1, 1000
        ),
        FUNCTION,
    ),
    output="labels",
    auto_classes=("AutoModelForVideoClassification",),
    head="video classification head",
    examples=(Example({"sample": "ball.mp4"}, {"frame_sampling_rate": 2}),),
    hub_model="MCG-NJU/videomae-base-finetuned-kinetics",
    runner="multimodal_video:VideoClassifier",
)

DOCUMENT_QA = TaskSpec(
    name="document-question-answering",
    title="Document question answering",
    summary="Finds the answer to a question in the picture of a document.",
    inputs=(InputSpec("image", "Document", "image"), InputSpec("question", "Question")),
    parameters=(
        ParameterSpec("top_k", "int", None, "How many answers to return, best first; one where not given.", 1, 100),
        ParameterSpec(
            "word_boxes",
            "json",
            None,
            "The document's words with their boxes, [[word, [left, top, right, bottom]], ...], in thousandths of its "
            "width and height; models that do not read the picture themselves need them.",
        ),
        ParameterSpec("max_answer_len", "int", 15, "Longest answer, in tokens.", 1, 512),
        ParameterSpec("max_seq_len", "int", None, "Most tokens of a chunk; as many as the model reads.", 16, 4096),
        ParameterSpec("doc_stride", "int", None, "Tokens that two chunks of a long document share.", 0, 2048),
        ParameterSpec("handle_impossible_answer", "bool", False, "Whether no answer is an answer."),
        ParameterSpec(
            "max_new_tokens", "int", None, "Most tokens to write, by models that write.", 1, limit="new_tokens"
        ),
    ),
    output="answers",
    auto_classes=("AutoModelForDocumentQuestionAnswering", "AutoModelForImageTextToText"),
    head="head that finds answers in documents",
    examples=(
        Example(_INVOICE, _WORDS),
        Example({**_INVOICE, "question": "Who has to pay?"}, _WORDS),
        Example(_INVOICE, hub_model="naver-clova-ix/donut-base-finetuned-docvqa"),
    ),
    hub_model="impira/layoutlm-document-qa",
    runner="multimodal_document:DocumentReader",
)

VISUAL_QA = TaskSpec(
    name="visual-question-answering",
    title="Visual question answering",
    summary="Answers a question about an image.",
    inputs=(InputSpec("image", "Image", "image"), InputSpec("question", "Question")),
    parameters=(
        ParameterSpec("top_k", "int", None, "How many answers to return, best first; five where not given.", 1, 100),
        ParameterSpec(
            "max_new_tokens", "int", None, "Most tokens to write, by models that write.", 1, limit="new_tokens"
        ),
    ),
    output="answers",
    auto_classes=("AutoModelForVisualQuestionAnswering", "AutoModelForImageTextToText"),
    head="head that answers questions about images",
    examples=(
        {"image": {"sample": "cat.png"}, "question": "What animal is this?"},
        {"image": {"sample": "street.png"}, "question": "How many cars are there?"},
    ),
    hub_model="dandelin/vilt-b32-finetuned-vqa",
    runner="multimodal_question:Answerer",
    revived=True,
    aliases=("vqa",),
)

IMAGE_TEXT_TO_TEXT = TaskSpec(
    name="image-text-to-text",
    title="Image and text to text",
    summary="Describes an image, or talks about it.",
    inputs=(
        InputSpec("image", "Image", "image"),
        InputSpec(
            "text",
            "Text",
            "chat",
            required=False,
            help="The begin of a caption, or what is asked about the image; or the messages of a chat, with the image "
            "in the last one of the user's where none holds one.",
        ),
    ),
    parameters=(_CHAT, *WRITING),
    output="text",
    auto_classes=("AutoModelForImageTextToText",),
    head="head that writes about images",
    examples=({"image": {"sample": "cat.png"}}, {"image": {"sample": "street.png"}, "text": "a picture of"}),
    hub_model="Salesforce/blip-image-captioning-base",
    runner="multimodal_chat:Describer",
    generates=True,
    aliases=("image-to-text",),
)

ANY_TO_ANY = TaskSpec(
    name="any-to-any",
    title="Any to any",
    summary="Talks about what it reads, sees and hears.",
    inputs=(
        InputSpec("text", "Text", "chat", help="What is asked, or the messages of a chat."),
        InputSpec("audio", "Sound", "audio", required=False),
        InputSpec("image", "Image", "image", required=False),
    ),
    parameters=(_CHAT, *WRITING),
    output="text",
    auto_classes=("AutoModelForMultimodalLM",),
    head="head that writes about what it sees and hears",
    examples=({"text": "What is said here?", "audio": {"sample": "sentence.ogg"}},),
    hub_model="Qwen/Qwen2-Audio-7B-Instruct",
    runner="multimodal_chat:Talker",
    generates=True,
)

MULTIMODAL_TASKS: tuple[TaskSpec, ...] = (
    VIDEO_CLASSIFICATION,
    DOCUMENT_QA,
    VISUAL_QA,
    IMAGE_TEXT_TO_TEXT,
    ANY_TO_ANY,
)
