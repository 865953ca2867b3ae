"""Images as inputs: what is taken, in which form it arrives, and what is refused in sentences."""

from __future__ import annotations

import base64
import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy
import pytest
from PIL import Image, PngImagePlugin

from components.service.errors import WorkbenchError
from components.service.samples.make_pictures import PICTURES
from components.service.samples.make_pictures import make as make_pictures
from components.service.settings import Settings
from components.service.tasks.media import SAMPLES, check_media
from components.service.worker.blame import blamed
from components.service.worker.media import read_image

RED, BLUE = (255, 0, 0), (0, 0, 255)


def written(image: Image.Image, format: str = "PNG", **more: Any) -> bytes:
    sink = io.BytesIO()
    image.save(sink, format, **more)
    return sink.getvalue()


def data(content: bytes) -> str:
    return base64.b64encode(content).decode()


def halves(mode: str = "RGB") -> Image.Image:
    """Red above blue, 6 × 4."""
    image = Image.new("RGB", (6, 4), RED)
    image.paste(BLUE, (0, 2, 6, 4))
    return image.convert(mode)


def turned() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held on its side
    return written(halves().rotate(90, expand=True), "PNG", exif=exif)


def animated() -> bytes:
    return written(halves(), "GIF", save_all=True, append_images=[Image.new("RGB", (6, 4), "green")])


def sixteen_bits() -> bytes:
    return written(Image.fromarray(numpy.array([[0, 32768, 65535]], dtype=numpy.uint16)))


def bomb(width: int, height: int) -> bytes:
    """A PNG that says it is large, and holds nearly nothing."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


def long_text() -> bytes:
    info = PngImagePlugin.PngInfo()
    info.add_text("note", "a" * (20 * 1024**2), zip=True)
    return written(halves(), "PNG", pnginfo=info)


def open_image(value: Any, settings: Settings) -> Image.Image:
    return read_image(check_media(value, "image", settings, "inputs"), settings)


@pytest.mark.parametrize(
    ("content", "exact"),
    [
        (written(halves()), True),
        (written(halves(), "WEBP", lossless=True), True),
        (written(halves(), "BMP"), True),
        (written(halves(), "TIFF"), True),
        (written(halves("P")), True),
        (written(halves("RGBA")), True),
        (written(halves(), "JPEG", quality=100, subsampling=0), False),
        (written(halves("CMYK"), "JPEG", quality=100), False),
        (turned(), True),
        (animated(), True),
    ],
    ids=["png", "webp", "bmp", "tiff", "palette", "alpha", "jpeg", "cmyk", "turned by the camera", "animated"],
)
def test_an_image_arrives_in_red_green_and_blue_the_right_way_up(
    settings: Settings, content: bytes, exact: bool
) -> None:
    image = open_image(data(content), settings)
    assert (image.mode, image.size) == ("RGB", (6, 4))
    difference = numpy.abs(numpy.asarray(image, int) - numpy.asarray(halves(), int))
    assert difference.max() <= (0 if exact else 12)


@pytest.mark.parametrize(
    "content",
    [turned(), animated(), written(halves("RGBA")), written(halves("L"))],
    ids=["turned", "animated", "alpha", "grey"],
)
def test_an_image_is_what_the_pipelines_themselves_load(settings: Settings, content: bytes) -> None:
    from transformers.image_utils import load_image

    assert open_image(data(content), settings).tobytes() == load_image(data(content)).tobytes()


def test_sixteen_bits_are_scaled_and_not_cut_off(settings: Settings) -> None:
    assert list(open_image(data(sixteen_bits()), settings).convert("L").tobytes()) == [0, 128, 255]


def test_a_file_a_data_url_and_plain_base64_are_the_same_image(settings: Settings, tmp_path: Path) -> None:
    content = written(halves())
    (tmp_path / "image.png").write_bytes(content)
    lines = "\n".join([data(content)[:20], data(content)[20:]])
    given = [data(content), lines, f"data:image/png;base64,{data(content)}", {"file": str(tmp_path / "image.png")}]
    assert {open_image(value, settings).tobytes() for value in given} == {halves().tobytes()}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "no image yet"),
        ("", "no image yet"),
        (7, "no image yet"),
        ({}, "no image yet"),
        ("http://127.0.0.1/cat.png", "Addresses are not fetched"),
        ("HTTPS://example.org/cat.png", "Addresses are not fetched"),
        ("ftp://example.org/cat.png", "Addresses are not fetched"),
        ("file:///etc/passwd", "Addresses are not fetched"),
        ("/etc/passwd", "no file in base64|no image"),
        ("../../secret.png", "no image"),
        ("cat.png", "no image"),
        ({"sample": "../make_pictures.py"}, "no sample"),
        ({"sample": "make_pictures.py"}, "no sample"),
        ({"sample": "dog.png"}, "no sample 'dog.png'"),
        ({"file": "/nowhere/at/all.png"}, "is empty"),
        ({"url": "http://127.0.0.1/"}, "no image yet"),
        ("data:text/html;base64,PGI+", "no image"),
        (data(b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>"), "no image"),
        (data(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n"), "no image"),
        (data(written(halves(), "PCX")), "no image"),
        (data(written(halves(), "ICO")), "no image"),
        (data(written(halves())[:60]), "broken"),
        (data(b"\x89PNG\r\n\x1a\n"), "no image"),
        (data(bomb(20_000, 20_000)), "far too large"),
        (data(bomb(9_000, 9_000)), "9000 × 9000 pixels. At most 50 million"),
        (data(bomb(6_000, 6_000)), "broken"),
        (data(bomb(0, 0)), "no image"),
        (data(long_text()), "broken"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_no_image_is_refused_in_a_sentence(settings: Settings, value: Any, words: str) -> None:
    told = refusal(lambda: open_image(value, settings))
    assert told.field == "inputs"
    assert any(one in told.message for one in words.split("|")), told.message
    assert "/etc" not in told.message


def refusal(work: Callable[[], Any]) -> WorkbenchError:
    """What a visitor reads of the failure."""
    with pytest.raises(Exception) as caught:
        work()
    told = caught.value if isinstance(caught.value, WorkbenchError) else blamed(caught.value)
    assert told is not None, caught.value
    return told


def test_a_file_over_the_limit_is_refused_before_it_is_read(settings: Settings, tmp_path: Path) -> None:
    tight = replace(settings, media_bytes=1000)
    (tmp_path / "large.png").write_bytes(bytes(1001))
    for value in ({"file": str(tmp_path / "large.png")}, "A" * 1400):
        assert "at most 1 kB" in refusal(lambda value=value: check_media(value, "image", tight, "inputs")).message


def test_the_pictures_of_the_samples_are_small_and_drawn_by_their_program(tmp_path: Path) -> None:
    make_pictures(tmp_path)
    for name in PICTURES:
        assert (SAMPLES / name).stat().st_size < 25_000
        with Image.open(tmp_path / name) as drawn, Image.open(SAMPLES / name) as kept:
            difference = numpy.abs(numpy.asarray(drawn.convert("RGB"), int) - numpy.asarray(kept.convert("RGB"), int))
        assert difference.mean() < 2, name  # another version of Pillow may choose its colours a little differently
