"""A device cookie says which browser of which account it is, and cannot be made up."""

from __future__ import annotations

import pytest

from dropengine.people.device_cookies import DeviceCookies

COOKIES = DeviceCookies(b"a secret of thirty-two characters")


def test_what_was_given_out_is_read_back() -> None:
    one, other = COOKIES.issue("ada"), COOKIES.issue("ada")
    read = COOKIES.read(one)
    assert read is not None
    assert read.account == "ada"
    assert read != COOKIES.read(other)


def test_not_a_letter_of_it_can_be_changed() -> None:
    cookie = COOKIES.issue("ada")
    for i, letter in enumerate(cookie):
        changed = cookie[:i] + ("b" if letter != "b" else "c") + cookie[i + 1 :]
        assert COOKIES.read(changed) is None, i


@pytest.mark.parametrize("wrong", ["", "d1", "d1.ada.x.y", "d1.ada.x.y.z", "d1.äda.x.y", "...."])
def test_what_nobody_gave_out_is_nothing(wrong: str) -> None:
    assert COOKIES.read(wrong) is None


def test_another_shop_knows_it_not() -> None:
    assert DeviceCookies(b"another secret of the same length").read(COOKIES.issue("ada")) is None
