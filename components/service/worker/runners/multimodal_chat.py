"""Text about images and sounds, written by models that caption and by those that converse."""

from __future__ import annotations

from typing import Any

from transformers.pipelines import any_to_any, image_text_to_text

from components.service.errors import WorkbenchError
from components.service.tasks.media import check_media
from components.service.worker.media import read_audio, read_image
from components.service.worker.runners.multimodal_writer import Writer, unfit
from components.service.worker.tensors import describe, flatten, token_rows

#: Most images and sounds in one chat.
MOST_MEDIA = 8
#: The names of the parts of a message, OpenAI's among them.
_KINDS = {
    "text": "text",
    **dict.fromkeys(("image", "image_url"), "image"),
    **dict.fromkeys(("audio", "input_audio", "audio_url"), "audio"),
}
_ASK = "Describe the image."


class Describer(Writer):
    """Runs `ImageTextToTextPipeline`; the output is `[{generated_text}]`, without what was asked."""

    #: What the pipeline takes messages in.
    Chat: Any = image_text_to_text.Chat

    def resolve(self, given: dict[str, Any]) -> dict[str, Any]:
        used = super().resolve(given)
        there = bool(getattr(self.loaded.pipe.processor, "chat_template", None))
        if used.setdefault("chat_template", there) and not there:
            raise WorkbenchError(
                f"{self.loaded.name} has no chat template: it does not converse. Leave chat_template empty.",
                field="parameters.chat_template",
            )
        self._asked = dict(used)
        return used

    def arguments(self, parameters: dict[str, Any]) -> dict[str, Any]:
        return {"generate_kwargs": self.generation(parameters), "return_full_text": False}

    # From what is asked to what the pipeline takes

    def read(self, item: Any) -> Any:
        given = (
            item if isinstance(item, dict) and not {"data", "path"} & set(item) else {self.spec.inputs[0].name: item}
        )
        media = [
            {"type": kind, kind: self.open(kind, given[kind], "inputs")} for kind in ("image", "audio") if kind in given
        ]
        text = given.get("text", "")
        if isinstance(text, list):
            return self.Chat(self._with_media(text, media))
        if self.parameters["chat_template"]:
            if not text:
                self.note(f"Nothing was asked, so the model was: {_ASK!r}")
            return self.Chat([{"role": "user", "content": [*media, {"type": "text", "text": text or _ASK}]}])
        return self.plainly(text, {one["type"]: one[one["type"]] for one in media})

    def plainly(self, text: str, media: dict[str, Any]) -> Any:
        """What the pipeline takes where there is no chat."""
        return {"images": [media["image"]], "text": text}

    def open(self, kind: str, value: Any, field: str) -> Any:
        """An image, or a sound as the model's feature extractor takes it."""
        if kind == "image":
            return read_image(value, self.call.settings)
        extractor = getattr(self.loaded.pipe.processor, "feature_extractor", None)
        if extractor is None:
            raise WorkbenchError(f"{self.loaded.name} does not hear: give it no sound.", field=field)
        return read_audio(value, extractor.sampling_rate, self.call.settings, field)

    def _with_media(self, messages: list[dict[str, Any]], media: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """A chat with its images and sounds opened, and with those given beside it in the user's last message."""
        if not self.parameters["chat_template"]:
            raise WorkbenchError(
                f"{self.loaded.name} does not converse: give it a text, not a chat.", field="inputs.text"
            )
        self._media = 0
        chat = [{"role": one["role"], "content": self._content(one["content"])} for one in messages]
        asked = [one for one in chat if one["role"] == "user"]
        if media and not asked:
            raise WorkbenchError("The chat has no message of the user's.", field="inputs.text")
        if media and not self._media:
            last = asked[-1]["content"]
            asked[-1]["content"] = [*media, *([{"type": "text", "text": last}] if isinstance(last, str) else last)]
        return chat

    def _content(self, content: Any) -> Any:
        if isinstance(content, str):
            return [{"type": "text", "text": content}]
        if not isinstance(content, list) or not all(isinstance(part, dict) for part in content):
            raise WorkbenchError("A message's content is a text, or a list of parts with a type.", field="inputs.text")
        return [self._part(part) for part in content]

    def _part(self, part: dict[str, Any]) -> dict[str, Any]:
        """One part of a message; nothing of it but its text, image or sound goes further."""
        kind = _KINDS.get(str(part.get("type")))
        if kind == "text" and isinstance(part.get("text"), str):
            return {"type": "text", "text": part["text"]}
        if kind is None or kind == "text":
            raise WorkbenchError(
                'A part of a message is a text, an image or a sound: {"type": "text", "text": ...}, '
                '{"type": "image", "image": base64}, {"type": "audio", "audio": base64}.',
                field="inputs.text",
            )
        self._media += 1
        if self._media > MOST_MEDIA:
            raise WorkbenchError(f"A chat may have at most {MOST_MEDIA} images and sounds.", field="inputs.text")
        value: Any = next((part[name] for name in (part["type"], kind, "url", "base64", "data") if name in part), None)
        if isinstance(value, dict) and "sample" not in value:
            value = value.get("url") or value.get("data")
        if isinstance(value, dict):
            value = {"sample": value["sample"]}  # no other file of this machine
        checked = check_media(value, kind, self.call.settings, "inputs.text")
        return {"type": kind, kind: self.open(kind, checked, "inputs.text")}

    # The steps

    def preprocess(self, item: Any) -> Any:
        with unfit(self):
            inputs = super().preprocess(item)
        length = inputs["input_ids"].shape[-1] if "input_ids" in inputs else 0
        room = None if self.context is None else self.context - length
        if room is not None and room < 1:
            raise WorkbenchError(
                f"Text and images have {length:,} tokens, and {self.loaded.name} reads at most {self.context:,}, its "
                "own new tokens included. Shorten the text, or give fewer images.",
                field="inputs",
            )
        # For this input: another one of the same list may leave more room.
        most = self._asked.get("max_new_tokens")
        if room is not None and most is not None:
            self.parameters["max_new_tokens"] = min(most, room)
            self._during["generate_kwargs"] = self.generation(self.parameters)
        if room is not None and most is not None and most > room:
            self.note(
                f"{self.loaded.name} reads at most {self.context:,} tokens: there was room for {room:,} new ones."
            )
        return inputs

    def forward(self, inputs: Any) -> Any:
        during = {**self._during, "generate_kwargs": self.bounded(**self._during["generate_kwargs"])}
        with self._draw, unfit(self):
            outputs = self.loaded.pipe.forward(inputs, **during)
        self.told()
        return outputs

    def output(self, made: Any) -> Any:
        return [{"generated_text": one["generated_text"]} for one in made]

    def note_preprocess(self, inputs: Any) -> str:  # noqa: ARG002
        template = " by the model's chat template" if self.parameters["chat_template"] else ""
        return f"The text becomes ids{template}, images and sounds numbers; each has its places among the ids."

    def show_forward(self, inputs: Any, outputs: Any) -> dict[str, Any]:
        shown = super().show_forward(inputs, outputs)
        return shown | {"note": "Here forward is generate: the model is called once for each new token."}

    def show_postprocess(self, inputs: Any, outputs: Any, output: Any) -> dict[str, Any]:  # noqa: ARG002
        made = outputs["generated_sequence"].reshape(-1, outputs["generated_sequence"].shape[-1])[0]
        asked = flatten(inputs).get("input_ids")
        begin = asked.shape[-1] if asked is not None and made[: asked.shape[-1]].equal(asked[0].cpu()) else 0
        return {
            "tensors": describe({"new_ids": made[begin:]}),
            "tokens": token_rows(self.loaded.tokenizer, made[begin:].tolist()),
            "note": "The tokenizer turns the new ids into text, special tokens left out.",
        }


class Talker(Describer):
    """Runs `AnyToAnyPipeline`, which writes about texts, sounds and images; the output is `[{generated_text}]`."""

    Chat = any_to_any.Chat

    def plainly(self, text: str, media: dict[str, Any]) -> Any:
        names = {"image": "images", "audio": "audio"}
        return {"text": text, **{names[kind]: one for kind, one in media.items()}}
