"""A stranger's image, sound or video, opened: in the worker, and only as large as the settings allow."""

from __future__ import annotations

import base64
import binascii
import io
import warnings
from collections.abc import Mapping

import av
import numpy
from PIL import Image, ImageOps

from components.service.errors import WorkbenchError
from components.service.settings import Settings
from components.service.worker.blame import blaming


def content(value: Mapping[str, str]) -> io.BytesIO:
    """The bytes of `{"data": base64}` or `{"path": path}`."""
    if "data" not in value:
        with open(value["path"], "rb") as file:
            return io.BytesIO(file.read())
    try:
        return io.BytesIO(base64.b64decode(value["data"].replace("-", "+").replace("_", "/"), validate=True))
    except binascii.Error:
        raise WorkbenchError("This is no file in base64: its end is missing.", field="inputs") from None


def read_image(value: Mapping[str, str], settings: Settings) -> Image.Image:
    """The image in RGB, turned as its camera says.

    Raises:
        WorkbenchError: It is no image, or has more pixels than allowed.
    """
    with (
        blaming("This is no image that can be opened, or it is broken. Use a PNG, JPEG or WebP file.", field="inputs"),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the settings' own limit counts
        image = Image.open(content(value))
        width, height = image.size
        if width * height > settings.image_pixels:
            raise WorkbenchError(
                f"The image has {width} × {height} pixels; at most {settings.image_pixels / 1e6:.0f} million are "
                "allowed here. Make it smaller.",
                field="inputs",
            )
        return ImageOps.exif_transpose(image).convert("RGB")


def read_audio(value: Mapping[str, str], rate: int, settings: Settings) -> numpy.ndarray:
    """The sound as float32 in -1 to 1, one channel, `rate` samples a second, shape (samples,).

    Raises:
        WorkbenchError: It is no sound, is empty, or is longer than allowed.
    """
    most = int(settings.media_seconds * rate)
    parts: list[numpy.ndarray] = []
    with (
        blaming("This is no sound that can be read, or it is broken. Use a WAV, MP3, FLAC or OGG file.", "inputs"),
        av.open(content(value), "r", metadata_errors="ignore") as container,
    ):
        if not container.streams.audio:
            raise WorkbenchError("There is no sound in this file. Use a WAV, MP3, FLAC or OGG file.", field="inputs")
        resampler = av.AudioResampler(format="flt", layout="mono", rate=rate)
        for frame in container.decode(audio=0):
            parts += [part.to_ndarray()[0] for part in resampler.resample(frame)]
            if sum(map(len, parts)) > most:
                raise WorkbenchError(
                    f"The sound is longer than the {settings.media_seconds:g} seconds allowed here. Cut it.",
                    field="inputs",
                )
        parts += [part.to_ndarray()[0] for part in resampler.resample(None)]
    if not sum(map(len, parts)):
        raise WorkbenchError("The sound is empty. Record or choose another one.", field="inputs")
    return numpy.concatenate(parts).astype(numpy.float32)
