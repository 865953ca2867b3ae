"""A stranger's image, sound or video, opened: in the worker, and only as large as the settings allow."""

from __future__ import annotations

import base64
import binascii
import io
import struct
import warnings
import wave
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import av
import numpy
from av.container import InputContainer
from PIL import Image, ImageOps

from components.service.errors import WorkbenchError
from components.service.settings import Settings
from components.service.worker.blame import blaming

_FORMATS = "wav,w64,aiff,caf,flac,mp3,ogg,aac,mov,matroska,avi"
_NO_IMAGE = "This is no image that can be opened, or it is broken. Use a PNG, JPEG or WebP file."
_NO_SOUND = "This is no sound that can be read, or it is broken. Use a WAV, MP3, FLAC or OGG file."
_NO_VIDEO = "This is no video that can be read, or it is broken. Use an MP4, WebM, MOV or AVI file."

#: What Pillow raises over a broken file.
_BROKEN: tuple[type[Exception], ...] = (OSError, SyntaxError, ValueError, TypeError, LookupError, ArithmeticError)
_BROKEN += (EOFError, RuntimeError, struct.error, zlib.error)

#: What is opened as an image. Pillow knows more, of which some call other programs or are rarely tested.
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")


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
    """The image of `{"data": base64}` or `{"path": path}`, as `open_image` gives it."""
    with blaming(_NO_IMAGE, field="inputs"):
        return open_image(content(value), settings.image_pixels, "inputs")


def open_image(file: io.BytesIO, most_pixels: int, field: str) -> Image.Image:
    """The image in RGB, turned as its camera says; of an animation, the first picture.

    As in transformers' own `load_image`, what is transparent shows the colour that its pixels hold. Unlike there,
    more than 8 bits a colour are made 8 by scale, not by cutting off what is lighter than 255.

    Raises:
        WorkbenchError: It is no image, or has more pixels than allowed.
    """
    with blaming(_NO_IMAGE, field), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a stranger's file may have odd parts; its size has a limit of our own
        return _eight_bits(ImageOps.exif_transpose(_opened_image(file, most_pixels, field))).convert("RGB")


def image_problem(data: bytes, most_pixels: int) -> str | None:
    """What is wrong with an encoded image, in a sentence; `None` where it opens to its end."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = _opened_image(io.BytesIO(data), most_pixels, "data")
            # Of a JPEG an eighth of each side is enough to read the file to its end.
            image.draft("RGB", (1, 1))
            image.load()
    except WorkbenchError as error:
        return error.message
    except _BROKEN:
        return _NO_IMAGE
    return None


def _opened_image(file: io.BytesIO, most_pixels: int, field: str) -> Image.Image:
    try:
        image = Image.open(file, formats=FORMATS)
    except Image.DecompressionBombError:
        raise WorkbenchError(f"The image is far too large.{_most_pixels(most_pixels)}", field=field) from None
    width, height = image.size
    if width * height > most_pixels:
        raise WorkbenchError(f"The image has {width} × {height} pixels.{_most_pixels(most_pixels)}", field=field)
    return image


def _most_pixels(most: int) -> str:
    return f" At most {most / 1e6:.3g} million pixels are allowed here. Make it smaller."


def _eight_bits(image: Image.Image) -> Image.Image:
    """An image of one channel with more than 8 bits, scaled to 8; any other as it is."""
    if image.mode not in ("I", "F") and not image.mode.startswith("I;16"):
        return image
    values = numpy.nan_to_num(numpy.asarray(image, dtype=numpy.float32))
    most = 65535.0 if image.mode.startswith("I") else 1.0
    most = most if values.max(initial=0) <= most else float(values.max())
    return Image.fromarray((values.clip(0, most) * (255 / most)).round().astype(numpy.uint8))


def read_audio(value: Mapping[str, str], rate: int, settings: Settings, field: str = "inputs") -> numpy.ndarray:
    """The sound as float32 in -1 to 1, its channels' mean, `rate` samples a second, shape (samples,).

    Raises:
        WorkbenchError: It is no sound, is empty, or is longer than allowed.
    """
    parts: list[numpy.ndarray] = []
    with blaming(_NO_SOUND, field), _opened(value) as container:
        if not container.streams.audio:
            raise WorkbenchError("There is no sound in this file. Use a WAV, MP3, FLAC or OGG file.", field=field)
        resampler = av.AudioResampler(format="fltp", rate=rate)
        seconds = 0.0
        for frame in container.decode(audio=0):
            seconds += frame.samples / frame.sample_rate
            if seconds > settings.media_seconds:
                raise WorkbenchError(
                    f"The sound is longer than the {settings.media_seconds:g} seconds allowed here. Cut it.",
                    field=field,
                )
            parts += [part.to_ndarray().mean(axis=0) for part in resampler.resample(frame)]
        if seconds:
            parts += [part.to_ndarray().mean(axis=0) for part in resampler.resample(None)]
    if not sum(map(len, parts)):
        raise WorkbenchError("The sound is empty. Record or choose another one.", field=field)
    sound = numpy.concatenate(parts).astype(numpy.float32)
    if not numpy.isfinite(sound).all():
        raise WorkbenchError("The sound holds samples that are no finite numbers. Choose another one.", field=field)
    return sound


@dataclass(frozen=True)
class Video:
    """Frames of a video.

    Attributes:
        frames: Each an array of RGB in 0 to 255, shape (height, width, 3).
        times: When each is shown, in seconds from the begin.
    """

    frames: list[numpy.ndarray]
    times: list[float]


def read_video(value: Mapping[str, str], wanted: Sequence[int], settings: Settings, field: str = "inputs") -> Video:
    """The frames with the numbers `wanted`, ascending from 0; fewer where the video ends before.

    Raises:
        WorkbenchError: It is no video, is longer than allowed up to the last frame, or its frames are too large.
    """
    found = Video([], [])
    numbers = set(wanted)
    with blaming(_NO_VIDEO, field), _opened(value) as container:
        if not container.streams.video:
            raise WorkbenchError("There is no picture in this file. Use an MP4, WebM, MOV or AVI file.", field=field)
        _check_frames(container.streams.video[0], len(wanted), settings, field)
        for number, frame in enumerate(container.decode(video=0)):
            if number > wanted[-1]:
                break
            time = frame.time or 0.0
            if time > settings.media_seconds:
                raise WorkbenchError(
                    f"The frames asked for reach beyond the {settings.media_seconds:g} seconds of a video that are "
                    "read here. Use fewer, or a lower sampling rate.",
                    field=field,
                )
            if number in numbers:
                _check_frames(frame, len(wanted), settings, field)
                found.frames.append(frame.to_ndarray(format="rgb24"))
                found.times.append(time)
    if not found.frames:
        raise WorkbenchError("The video has no frames. Choose another one.", field=field)
    return found


def wav(sound: numpy.ndarray, rate: int) -> str:
    """A sound in -1 to 1, shape (samples,) or (channels, samples), as WAV of 16 bits in base64; louder is clipped."""
    channels = numpy.atleast_2d(numpy.nan_to_num(sound))
    whole = (channels.clip(-1, 1) * 32767).round().astype("<i2")
    sink = io.BytesIO()
    with wave.open(sink, "wb") as file:
        file.setnchannels(len(whole))
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(whole.T.tobytes())
    return base64.b64encode(sink.getvalue()).decode()


def _opened(value: Mapping[str, str]) -> InputContainer:
    """The file as FFmpeg reads it. Only formats that hold their own content: a playlist would name other files and
    addresses, and a description of a stream would open a port."""
    return av.open(content(value), "r", metadata_errors="ignore", options={"format_whitelist": _FORMATS})


def _check_frames(source: Any, count: int, settings: Settings, field: str) -> None:
    """Refuse frames of a stream, or like the one given, that are too large one by one or all together."""
    size = source.width * source.height
    if size > settings.image_pixels or size * count > settings.video_pixels:
        raise WorkbenchError(
            f"The video has {source.width} × {source.height} pixels; {count} frames of it are more than the "
            f"{settings.video_pixels / 1e6:.0f} million pixels allowed here. Make it smaller, or use fewer frames.",
            field=field,
        )
