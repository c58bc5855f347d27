"""Photos from strangers: drawn anew, without what hides in files, and within bounds."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import zipfile
import zlib
from typing import Any

import pytest
from PIL import Image

from dropengine.people import draw_picture
from dropengine.people.draw_picture import Drawn, Refused, answer_of, drawn


def file_of(kind: str, size: tuple[int, int] = (1200, 900), **more: Any) -> bytes:
    """A picture whose left half is red and whose right half is blue."""
    picture = Image.new("RGB", size, "#c02020")
    picture.paste("#2020c0", (size[0] // 2, 0, *size))
    out = io.BytesIO()
    picture.save(out, kind, **more)
    return out.getvalue()


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few kB that unfolds into so many pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checked = kind + data
        return struct.pack(">I", len(data)) + checked + struct.pack(">I", zlib.crc32(checked))

    packer = zlib.compressobj(9)
    rows = b"\0" * (width // 8 + 1) * 100
    data = b"".join([packer.compress(rows) for _ in range(height // 100)] + [packer.flush()])
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def shown(answer: Drawn | Refused) -> dict[int, Image.Image]:
    assert isinstance(answer, Drawn), answer
    return {width: Image.open(io.BytesIO(one)) for width, one in answer.files.items()}


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_photo_becomes_webp_in_three_widths(kind: str) -> None:
    found = shown(drawn(file_of(kind, (2000, 1500))))
    assert {width: one.size for width, one in found.items()} == {
        1600: (1600, 1200),
        960: (960, 720),
        480: (480, 360),
    }
    assert {one.format for one in found.values()} == {"WEBP"}


def test_a_small_photo_is_never_made_larger() -> None:
    assert list(shown(drawn(file_of("PNG", (700, 70))))) == [700, 480]
    assert list(shown(drawn(file_of("PNG", (64, 64))))) == [64]
    tall = drawn(file_of("PNG", (300, 6000)))
    assert isinstance(tall, Drawn)
    assert tall.height <= draw_picture.HEIGHT_MAX


def test_where_it_was_taken_and_by_what_is_gone() -> None:
    exif = Image.Exif()
    exif[0x010E], exif[0x0110] = "secret words", "secret camera"
    exif.get_ifd(0x8825)[1] = "N"
    sent = file_of("JPEG", exif=exif, comment=b"secret comment", icc_profile=b"secret" * 30)
    assert sent.count(b"secret") > 3
    answer = drawn(sent)
    for one in shown(answer).values():
        assert not dict(one.getexif())
        assert not {"icc_profile", "exif", "xmp", "comment"} & set(one.info)
    assert isinstance(answer, Drawn)
    assert all(b"secret" not in one for one in answer.files.values())


def test_it_stands_as_it_was_held() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    (largest, *_) = shown(drawn(file_of("JPEG", (1200, 800), exif=exif))).values()
    assert largest.size == (800, 1200)
    top = largest.convert("RGB").getpixel((400, 100))
    assert isinstance(top, tuple)
    assert top[0] > 150 > top[2]


def test_what_shines_through_is_paper() -> None:
    clear = Image.new("RGBA", (100, 100), (0, 0, 0, 0))
    out = io.BytesIO()
    clear.save(out, "PNG")
    (one,) = shown(drawn(out.getvalue())).values()
    darkest, _ = one.convert("L").getextrema()
    assert isinstance(darkest, int | float)
    assert darkest > 240


def moving(kind: str) -> bytes:
    frames = [Image.new("RGB", (100, 100), colour) for colour in ("red", "blue")]
    out = io.BytesIO()
    frames[0].save(out, kind, save_all=True, append_images=frames[1:])
    return out.getvalue()


SVG = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"
REFUSED = {
    "nothing": (b"", draw_picture.EMPTY),
    "words": (b"not a picture at all, honestly", draw_picture.NO_PICTURE),
    "a page": (b"<!doctype html><script>alert(1)</script>", draw_picture.NO_PICTURE),
    "svg": (SVG, draw_picture.DRAWING),
    "svg behind a prologue": (b"\n <?xml version='1.0'?><!--x-->" + SVG, draw_picture.DRAWING),
    "gif": (moving("GIF"), draw_picture.MOVES),
    "gif that stands": (file_of("GIF", (100, 100)), draw_picture.MOVES),
    "moving png": (moving("PNG"), draw_picture.MOVES),
    "moving webp": (moving("WEBP"), draw_picture.MOVES),
    "tiff": (file_of("TIFF", (100, 100)), draw_picture.NO_PICTURE),
    "bmp": (file_of("BMP", (100, 100)), draw_picture.NO_PICTURE),
    "ico": (file_of("ICO", (64, 64)), draw_picture.NO_PICTURE),
    "postscript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", draw_picture.NO_PICTURE),
    "heic": (b"\0\0\0\x18ftypheic" + b"\0" * 100, draw_picture.HEIC),
    "half a jpeg": (file_of("JPEG")[:2000], draw_picture.CUT),
    "half a png": (file_of("PNG")[:-200], draw_picture.CUT),
    "half a webp": (file_of("WEBP")[:300], draw_picture.NO_PICTURE),
    "a dot": (file_of("PNG", (1, 1)), draw_picture.SMALL),
    "a thread": (file_of("PNG", (4000, 10)), draw_picture.SMALL),
    "a bomb": (bomb(9_000, 9_000), draw_picture.VAST),
    "a larger bomb": (bomb(30_000, 30_000), draw_picture.VAST),
    "too heavy": (b"\xff\xd8" + b"\0" * draw_picture.SENT_BYTES_MAX, draw_picture.HEAVY),
}


@pytest.mark.parametrize(("sent", "why"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_still_photo_is_refused_with_a_sentence(sent: bytes, why: str) -> None:
    assert drawn(sent) == Refused(why)


def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("evil.js", "alert('polyglot')")
    return out.getvalue()


POLYGLOTS = {
    "jpeg and archive": file_of("JPEG") + zipped(),
    "png and archive": file_of("PNG") + zipped(),
    "jpeg and page": file_of("JPEG", comment=b"*/=alert('polyglot')/*<script>alert(1)</script>"),
    "png and page": file_of("PNG") + b"<script>alert('polyglot')</script>",
    "jpeg and pdf": file_of("JPEG") + b"%PDF-1.7 polyglot",
}


@pytest.mark.parametrize("sent", POLYGLOTS.values(), ids=POLYGLOTS.keys())
def test_of_a_file_that_is_two_things_only_the_picture_remains(sent: bytes) -> None:
    answer = drawn(sent)
    assert isinstance(answer, Drawn)
    for one in answer.files.values():
        for foreign in (b"alert", b"<script", b"PK\x03\x04", b"%PDF", b"polyglot"):
            assert foreign not in one
        assert one.startswith(b"RIFF")
        assert len(one) == struct.unpack("<I", one[4:8])[0] + 8


def test_a_phones_photo_with_a_second_one_in_it_stands_still() -> None:
    first, second = Image.new("RGB", (200, 100), "red"), Image.new("RGB", (100, 50), "blue")
    out = io.BytesIO()
    first.save(out, "MPO", save_all=True, append_images=[second])
    (one,) = shown(drawn(out.getvalue())).values()
    assert one.size == (200, 100)


def test_a_camera_that_writes_wrong_words_is_forgiven() -> None:
    sent = file_of("JPEG")
    broken = b"Exif\0\0II*\0\xff\xff\xff\xff" + b"\xff" * 40
    sent = sent[:2] + b"\xff\xe1" + struct.pack(">H", len(broken) + 2) + broken + sent[2:]
    assert isinstance(drawn(sent), Drawn)


def test_the_program_by_itself_answers_the_same() -> None:
    def told(sent: bytes) -> Drawn | Refused:
        command = [sys.executable, "-I", "-m", draw_picture.__name__]
        done = subprocess.run(command, input=sent, capture_output=True, check=True)
        return answer_of(done.stdout)

    for sent in (file_of("JPEG"), SVG, bomb(9_000, 9_000)):
        assert told(sent) == drawn(sent)
