"""The face of a drop: its own, everywhere the same."""

from __future__ import annotations

import re
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropengine.doors.cover_art import COLOURS_MAX, MOTIFS, NAMED, colours, cover

IDS = [f"drop-{n}" for n in range(60)]
COLOUR = re.compile(r"#[0-9a-f]{6}")


def test_the_same_drop_has_the_same_face() -> None:
    # Written down: another process, another machine and another version draw it too.
    face = cover("eclipse-pin", ["Lamp, sage"])
    assert face == cover("eclipse-pin", ["Lamp, sage"])
    assert (face.ground, len(face.shapes)) == ("#eaedd9", 5)


def test_no_two_drops_look_alike_and_every_motif_is_drawn() -> None:
    faces = [cover(drop) for drop in IDS]
    assert all(a != b for a, b in combinations(faces, 2))
    outlines = {tuple(type(shape) for shape in face.shapes[:4]) for face in faces}
    assert len({face.ground for face in faces}) > 50
    assert len(outlines) >= len(MOTIFS) // 2


@pytest.mark.parametrize(
    ("titles", "found"),
    [
        (["Lamp, sage", "Lamp, SAND", "Lamp (ink)"], ["sage", "sand"]),
        (["Red-hot pin"], ["red"]),
        (["A hundred reds", "Greenhouse"], []),
        (["red red", "blue", "green", "pink"], ["red", "blue", "green"]),
        (["日本", "<red>"], ["red"]),
        ([], []),
    ],
)
def test_a_face_wears_the_colours_that_its_items_are_named_by(
    titles: list[str], found: list[str]
) -> None:
    assert colours(titles) == [NAMED[name] for name in found]
    assert len(colours(titles)) <= COLOURS_MAX


@pytest.mark.parametrize("drop", IDS[:16])
def test_a_named_colour_is_on_the_face(drop: str) -> None:
    face = cover(drop, ["Turquoise"])
    assert NAMED["turquoise"] in {shape.fill for shape in face.shapes}


@given(st.text(), st.lists(st.text(), max_size=3))
def test_a_face_is_plain_geometry_of_a_bounded_size(drop: str, titles: list[str]) -> None:
    face = cover(drop, titles)
    assert COLOUR.fullmatch(face.ground)
    assert 4 < len(face.shapes) < 80
    assert all(COLOUR.fullmatch(shape.fill) for shape in face.shapes)
