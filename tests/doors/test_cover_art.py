"""The face of a drop, drawn from its rules."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dropengine.doors.cover_art import HEIGHT, RAYS, WIDTH, cover


def test_the_same_rules_have_the_same_face_and_others_another() -> None:
    assert cover("a") == cover("a")
    assert cover("a") != cover("b")


@given(st.text())
def test_a_face_stays_in_its_frame(text: str) -> None:
    face = cover(text)
    assert len(face.rays) == RAYS
    assert face.radius < face.x < WIDTH - face.radius
    assert face.radius < face.y < HEIGHT - face.radius
