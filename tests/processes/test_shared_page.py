"""What one process writes others read: the newest, and whole."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from dropengine.processes import shared_page
from dropengine.processes.shared_page import HEAD, SharedPage
from tests.kit.small_shop import ROOT

WRITER = """
import sys
from dropengine.processes.shared_page import SharedPage
page = SharedPage(int(sys.argv[1]))
while True:
    for letter in "abc":
        page.write(letter.encode() * (ord(letter) - 96) * 100_000)
"""


def test_the_newest_words_stand_and_the_last_ones_are_gone() -> None:
    page = SharedPage(shared_page.make())
    assert page.read() == b""
    for words in (b"many words", b"few", b"", b"again"):
        page.write(words)
        assert SharedPage(page.handle).read() == words
    page.close()


@pytest.mark.parametrize(
    "spoilt", [b"", b"\1", b"\xff" * 8, HEAD.pack(4, 7) + b"lies", HEAD.pack(90, 0)]
)
def test_what_is_not_whole_is_not_read(spoilt: bytes) -> None:
    page = SharedPage(shared_page.make())
    os.pwrite(page.handle, spoilt, 0)
    assert page.read() == b""
    page.close()


def test_a_reader_never_sees_half_of_what_another_process_writes() -> None:
    handle = shared_page.make()
    page = SharedPage(handle)
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(handle)], pass_fds=[handle], cwd=ROOT
    ) as writer:
        seen: set[bytes] = set()
        while len(seen) < 3:
            words = page.read()
            assert words == words[:1] * len(words)
            assert len(words) in (0, 100_000, 200_000, 300_000)
            seen |= {words[:1]} - {b""}
        writer.kill()
    page.close()
