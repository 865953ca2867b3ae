"""Sounds and videos as inputs: every usual form arrives the same, and what is hostile is refused in sentences."""

from __future__ import annotations

import base64
import io
import wave
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.service.errors import WorkbenchError
from components.service.samples import make_sounds, make_words
from components.service.settings import Settings
from components.service.tasks.media import SAMPLES
from components.service.worker.blame import blamed
from components.service.worker.media import read_audio, read_video, wav

RATE = 16_000
PLAYLIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n"
STREAM = b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n"
CONCAT = b"ffconcat version 1.0\nfile /etc/hostname\n"


def given_as(content: bytes) -> dict[str, str]:
    return {"data": base64.b64encode(content).decode()}


def sine(seconds: float, rate: int = RATE) -> numpy.ndarray:
    return (0.5 * numpy.sin(2 * numpy.pi * 440 * numpy.arange(int(seconds * rate)) / rate)).astype(numpy.float32)


def pcm(sound: numpy.ndarray, rate: int = RATE, width: int = 2, channels: int = 1) -> bytes:
    """A WAV file of `width` bytes a sample, the same sound in all channels."""
    whole = (sound * (2 ** (8 * width - 1) - 1)).astype("<i8")
    if width == 1:
        whole += 128
    raw = numpy.repeat(whole, channels).astype("<i8").view(numpy.uint8).reshape(-1, 8)[:, :width].tobytes()
    sink = io.BytesIO()
    with wave.open(sink, "wb") as file:
        file.setparams((channels, width, rate, 0, "NONE", ""))
        file.writeframes(raw)
    return sink.getvalue()


def encoded(codec: str, form: str, sound: numpy.ndarray, rate: int = RATE) -> bytes:
    sink = io.BytesIO()
    with av.open(sink, "w", format=form) as container:
        stream = container.add_stream(codec, rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray((sound * 32767).astype("<i2")[None], format="s16", layout="mono")
        frame.sample_rate = rate
        for one in (frame, None):
            container.mux(stream.encode(one))
    return sink.getvalue()


@pytest.mark.parametrize(
    ("content", "close"),
    [
        (pcm(sine(1)), 1e-4),
        (pcm(sine(1), width=3), 1e-4),
        (pcm(sine(1), width=4, channels=2), 1e-4),
        (pcm(sine(1), width=1), 0.02),
        (pcm(sine(1, 8000), 8000), 0.02),
        (pcm(sine(1, 44_100), 44_100, channels=2), 0.02),
        (encoded("flac", "flac", sine(1)), 1e-3),
        (encoded("libmp3lame", "mp3", sine(1)), 0.1),
    ],
    ids=["16 bit", "24 bit", "32 bit stereo", "8 bit", "8 kHz", "44.1 kHz stereo", "FLAC", "MP3"],
)
def test_a_sound_arrives_the_same_in_every_form(settings: Settings, content: bytes, close: float) -> None:
    sound = read_audio(given_as(content), RATE, settings)
    assert (sound.dtype, sound.ndim) == (numpy.float32, 1)
    assert abs(len(sound) - RATE) < 50
    middle = slice(2000, 14_000)
    assert numpy.abs(sound[middle] - sine(1)[middle]).max() < close


@given(
    st.lists(st.floats(-1.5, 1.5, width=32), min_size=1, max_size=40),
    st.sampled_from([8000, 22_050]),
    st.integers(1, 2),
)
def test_a_written_sound_is_read_back(numbers: list[float], rate: int, channels: int) -> None:
    written = base64.b64decode(wav(numpy.array([numbers] * channels, numpy.float32), rate))
    with wave.open(io.BytesIO(written)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getnframes()) == (rate, channels, len(numbers))
        read = numpy.frombuffer(file.readframes(100), "<i2").reshape(-1, channels)
    assert numpy.abs(read / 32767 - numpy.clip(numbers, -1, 1)[:, None]).max() < 1e-4


def sample(name: str) -> bytes:
    return (SAMPLES / name).read_bytes()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"hello, world", "no sound that can be read"),
        (b"\x00", "no sound that can be read"),
        (pcm(sine(1))[:30], "no sound that can be read"),
        (sample("sentence.ogg")[:40], "no sound that can be read"),
        (PLAYLIST, "no sound that can be read"),
        (STREAM, "no sound that can be read"),
        (CONCAT, "no sound that can be read"),
        (sample("ball.mp4"), "no sound in this file"),
        (pcm(sine(0)), "is empty"),
        (pcm(sine(3)), "longer than the 2 seconds"),
        (pcm(sine(0.1), rate=1), "longer than the 2 seconds"),
        (encoded("flac", "flac", numpy.zeros(RATE * 60, numpy.float32)), "longer than the 2 seconds"),
    ],
)
def test_what_is_no_sound_or_too_much_of_it_is_refused(settings: Settings, content: bytes, words: str) -> None:
    _refused(lambda: read_audio(given_as(content), RATE, replace(settings, media_seconds=2)), words)


def test_a_sound_that_breaks_off_is_read_as_far_as_it_goes(settings: Settings) -> None:
    whole = sample("sentence.ogg")
    assert 0 < len(read_audio(given_as(whole[: len(whole) // 2]), RATE, settings)) < 4.67 * RATE


@pytest.mark.parametrize(
    ("content", "wanted", "limits", "words"),
    [
        (b"hello, world", [0], {}, "no video that can be read"),
        (sample("ball.mp4")[:500], [0], {}, "no video that can be read"),
        (PLAYLIST, [0], {}, "no video that can be read"),
        (CONCAT, [0], {}, "no video that can be read"),
        (sample("melody.ogg"), [0], {}, "no picture in this file"),
        (sample("ball.mp4"), [0], {"image_pixels": 10_000}, "160 × 120 pixels"),
        (sample("ball.mp4"), [0, 1, 2], {"video_pixels": 50_000}, "3 frames"),
        (sample("ball.mp4"), [30], {"media_seconds": 1.0}, "beyond the 1 seconds"),
    ],
)
def test_what_is_no_video_or_too_much_of_it_is_refused(
    settings: Settings, content: bytes, wanted: list[int], limits: dict[str, Any], words: str
) -> None:
    _refused(lambda: read_video(given_as(content), wanted, replace(settings, **limits)), words)


def test_the_frames_of_a_video_come_with_their_times(settings: Settings) -> None:
    video = read_video({"path": str(SAMPLES / "ball.mp4")}, [0, 8, 40], settings)
    assert video.times == [0.0, 0.5]
    assert [frame.shape for frame in video.frames] == [(120, 160, 3)] * 2
    drawn = numpy.asarray(make_sounds.rolling_ball()[8], numpy.float32)
    assert numpy.abs(video.frames[1] - drawn).mean() < 8


def test_the_samples_are_what_their_program_makes(settings: Settings, tmp_path: Path) -> None:
    made = tmp_path / "melody.ogg"
    make_sounds.write_sound(made, make_sounds.melody())
    mine, kept = (read_audio({"path": str(file)}, RATE, settings) for file in (made, SAMPLES / "melody.ogg"))
    assert numpy.corrcoef(mine, kept)[0, 1] > 0.999
    make_sounds.write_video(tmp_path / "ball.mp4", make_sounds.rolling_ball())
    ours, theirs = (read_video({"path": str(folder / "ball.mp4")}, [31], settings) for folder in (tmp_path, SAMPLES))
    assert numpy.abs(ours.frames[0].astype(int) - theirs.frames[0]).mean() < 2
    assert all(file.stat().st_size < 30_000 for file in SAMPLES.iterdir() if file.suffix in (".ogg", ".mp4"))


def test_the_words_of_the_invoice_stand_in_their_boxes() -> None:
    import json

    assert [[word, box] for word, box in make_words.words()] == json.loads(make_words.FILE.read_text())


def _refused(read: Callable[[], Any], words: str) -> None:
    """Refused in words, by a `WorkbenchError` or by the sentence that is told instead of what was raised."""
    with pytest.raises(Exception) as caught:
        read()
    told = caught.value if isinstance(caught.value, WorkbenchError) else blamed(caught.value)
    assert told is not None, caught.value
    assert words in told.message
    assert told.field == "inputs"
