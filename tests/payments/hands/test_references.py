from __future__ import annotations

from dropengine.payments.hands import references


def test_a_reference_is_read_however_it_is_typed() -> None:
    one = references.new()
    assert references.read(f" {one.lower().replace('-', ' ')} ") == one
    assert references.read(one[:-1]) == ""
    assert references.new() != one


def test_no_letter_is_taken_for_another() -> None:
    assert not set("0O1IB8S5Z2G6Q") & set(references.LETTERS)
