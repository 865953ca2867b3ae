"""Tasks that hear or speak."""

from components.service.tasks.spec import Example, InputSpec, ParameterSpec, TaskSpec
from components.service.tasks.writing import WRITING

SOUND = InputSpec("audio", "Sound", "audio", help="A recording, or a WAV, MP3, FLAC or OGG file.")
FUNCTION = ParameterSpec(
    "function_to_apply",
    "choice",
    None,
    "What turns logits into scores; the model's own choice where not given.",
    choices=("softmax", "sigmoid", "none"),
)

SPEECH_RECOGNITION = TaskSpec(
    name="automatic-speech-recognition",
    title="Automatic speech recognition",
    summary="Writes down what is said in a recording.",
    inputs=(SOUND,),
    parameters=(
        ParameterSpec(
            "return_timestamps",
            "choice",
            None,
            "When each part was said: of each segment (true; Whisper), word, or character (char; CTC models).",
            choices=("false", "true", "word", "char"),
        ),
        ParameterSpec(
            "chunk_length_s",
            "float",
            None,
            "Read a long recording in chunks of this many seconds; as a whole where not given.",
            0.5,
            60,
        ),
        ParameterSpec(
            "stride_length_s",
            "float",
            None,
            "Seconds that a chunk shares with each neighbour, at most a third of it; a sixth where not given.",
            0,
            20,
        ),
        ParameterSpec("language", "str", None, "Language of the recording, for Whisper; found where not given."),
        ParameterSpec(
            "task",
            "choice",
            None,
            "Whisper can write in the language spoken (transcribe) or in English (translate).",
            choices=("transcribe", "translate"),
        ),
        *WRITING,
    ),
    output="speech",
    auto_classes=("AutoModelForCTC", "AutoModelForTDT", "AutoModelForSpeechSeq2Seq"),
    head="head that writes what it hears",
    examples=({"sample": "sentence.ogg"},),
    hub_model="facebook/wav2vec2-base-960h",
    runner="speech:Recognizer",
    generates=True,
)

AUDIO_CLASSIFICATION = TaskSpec(
    name="audio-classification",
    title="Audio classification",
    summary="Gives a sound one of the labels that the model was trained on, with a score for each.",
    inputs=(SOUND,),
    parameters=(
        ParameterSpec("top_k", "int", None, "How many labels to return, best first; all where not given.", 1, 1000),
        FUNCTION,
    ),
    output="labels",
    auto_classes=("AutoModelForAudioClassification",),
    head="audio classification head",
    examples=({"sample": "sentence.ogg"}, {"sample": "melody.ogg"}),
    hub_model="superb/wav2vec2-base-superb-ks",
    runner="audio:AudioClassifier",
)

ZERO_SHOT_AUDIO = TaskSpec(
    name="zero-shot-audio-classification",
    title="Zero-shot audio classification",
    summary="Scores labels of your own for a sound, with a model that was never trained on them.",
    inputs=(SOUND,),
    parameters=(
        ParameterSpec(
            "candidate_labels", "list", None, "The labels to choose from, such as music, speech.", 1, 100, required=True
        ),
        ParameterSpec(
            "hypothesis_template",
            "str",
            "This is a sound of {}.",
            "The sentence that each label is put into, in place of {}.",
            placeholder="{}",
        ),
    ),
    output="labels",
    auto_classes=("AutoModel",),
    head="joint space of sound and text",
    examples=(
        Example({"sample": "melody.ogg"}, {"candidate_labels": ["music", "speech", "a dog barking"]}),
        Example({"sample": "sentence.ogg"}, {"candidate_labels": ["music", "speech", "a dog barking"]}),
    ),
    hub_model="laion/clap-htsat-fused",
    runner="audio:ZeroShotAudioClassifier",
)

TEXT_TO_AUDIO = TaskSpec(
    name="text-to-audio",
    title="Text to audio",
    summary="Speaks a text, or makes the sound or music that it describes.",
    inputs=(InputSpec("text", "Text"),),
    parameters=WRITING,
    output="audio",
    auto_classes=("AutoModelForTextToWaveform",),
    head="decoder that makes sound (a spectrogram alone is none)",
    examples=(
        "The library is open from nine to five.",
        Example("A slow melody on a piano", hub_model="facebook/musicgen-small"),
    ),
    hub_model="suno/bark-small",
    runner="audio:Speaker",
    generates=True,
    aliases=("text-to-speech",),
)

AUDIO_TASKS: tuple[TaskSpec, ...] = (SPEECH_RECOGNITION, AUDIO_CLASSIFICATION, ZERO_SHOT_AUDIO, TEXT_TO_AUDIO)
