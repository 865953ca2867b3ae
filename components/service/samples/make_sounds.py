"""Makes the sounds and the video of this folder: `python -m components.service.samples.make_sounds`.

A spoken sentence needs a voice: `pip install espeakng-loader` brings eSpeak NG, which is free software and is not part
of the app. The same versions of PyAV and eSpeak NG make the same bytes again.
"""

from __future__ import annotations

import ctypes
import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy
from PIL import Image, ImageDraw

FOLDER = Path(__file__).parent
RATE = 16_000
SENTENCE = "The library is open from nine to five, and the small model loves to read."
#: "Frère Jacques": half tones above A4 and lengths in beats.
_MELODY = [(-9, 1), (-7, 1), (-5, 1), (-9, 1), (-9, 1), (-7, 1), (-5, 1), (-9, 1), (-5, 1), (-4, 1), (-2, 2)]
_BEAT = 0.3


def melody() -> numpy.ndarray:
    """A tune on a plucked string, float32 in -1 to 1, shape (samples,)."""
    return numpy.concatenate([_note(440 * 2 ** (tone / 12), beats * _BEAT) for tone, beats in _MELODY])


def _note(pitch: float, seconds: float) -> numpy.ndarray:
    time = numpy.arange(int(seconds * RATE)) / RATE
    partials = sum(numpy.sin(2 * math.pi * pitch * number * time) / number**2 for number in range(1, 6))
    return (0.5 * partials * numpy.exp(-4 * time)).astype(numpy.float32)


def sentence() -> numpy.ndarray:
    """`SENTENCE` in eSpeak NG's English voice, float32 in -1 to 1, shape (samples,), `RATE` samples a second."""
    import espeakng_loader  # type: ignore[import-not-found]

    library = ctypes.cdll.LoadLibrary(espeakng_loader.get_library_path())
    heard = bytearray()
    callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)

    @callback  # type: ignore[untyped-decorator]
    def hear(samples: Any, count: int, events: Any) -> int:  # noqa: ARG001
        heard.extend(ctypes.string_at(samples, 2 * count) if count > 0 else b"")
        return 0

    synchronous, utf8, rate_parameter, words_a_minute = 2, 1, 1, 150
    rate = library.espeak_Initialize(synchronous, 0, espeakng_loader.get_data_path().encode(), 0)
    library.espeak_SetSynthCallback(hear)
    library.espeak_SetVoiceByName(b"en-us")
    library.espeak_SetParameter(rate_parameter, words_a_minute, 0)
    text = SENTENCE.encode()
    library.espeak_Synth(text, len(text) + 1, 0, 0, 0, utf8, None, None)
    library.espeak_Synchronize()
    return _resampled(numpy.frombuffer(bytes(heard), "<i2").astype(numpy.float32) / 32768, rate)


def _resampled(sound: numpy.ndarray, rate: int) -> numpy.ndarray:
    resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
    frame = av.AudioFrame.from_ndarray(sound[None], format="flt", layout="mono")
    frame.sample_rate = rate
    return numpy.concatenate([part.to_ndarray()[0] for one in (frame, None) for part in resampler.resample(one)])


def write_sound(path: Path, sound: numpy.ndarray) -> None:
    """Write a sound as Opus in OGG."""
    with av.open(str(path), "w", format="ogg", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("libopus", rate=RATE, layout="mono", bit_rate=20_000)
        frame = av.AudioFrame.from_ndarray(sound[None].astype(numpy.float32), format="flt", layout="mono")
        frame.sample_rate = RATE
        _encode(container, stream, [frame])


def rolling_ball() -> list[Image.Image]:
    """A red ball that rolls over a meadow from left to right, 32 pictures of 160 × 120 pixels."""
    pictures = []
    for number in range(32):
        picture = Image.new("RGB", (160, 120), (150, 200, 240))
        draw = ImageDraw.Draw(picture)
        draw.ellipse((118, 10, 142, 34), fill=(255, 225, 90))
        draw.rectangle((0, 85, 160, 120), fill=(95, 165, 75))
        middle, turn = 4 * number + 18, number / 4
        draw.ellipse((middle - 16, 60, middle + 16, 92), fill=(200, 50, 45))
        for part in range(4):
            angle = turn + part * math.pi / 2
            end = (middle + 13 * math.cos(angle), 76 + 13 * math.sin(angle))
            draw.line([(middle, 76), end], fill=(245, 235, 225), width=3)
        pictures.append(picture)
    return pictures


def write_video(path: Path, pictures: list[Image.Image], rate: int = 16) -> None:
    """Write pictures as H.264 in MP4, which browsers play."""
    with av.open(str(path), "w", format="mp4", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("libx264", rate=Fraction(rate), options={"crf": "26", "threads": "1"})
        stream.width, stream.height, stream.pix_fmt = *pictures[0].size, "yuv420p"
        _encode(container, stream, [av.VideoFrame.from_ndarray(numpy.asarray(picture)) for picture in pictures])


def _encode(container: Any, stream: Any, frames: list[Any]) -> None:
    for frame in (*frames, None):
        for packet in stream.encode(frame):
            container.mux(packet)


if __name__ == "__main__":
    write_sound(FOLDER / "melody.ogg", melody())
    write_video(FOLDER / "ball.mp4", rolling_ball())
    write_sound(FOLDER / "sentence.ogg", sentence())
