"""A ticket is good exactly where, when and as it was signed."""

from __future__ import annotations

import base64
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropengine.people.tickets import KNOWN_MAX, Tickets

SECRET = "a secret of thirty-two characters"
NOW_S = 1_800_000_000
DAY_S = 86_400
SKEW_S = 300

tickets = Tickets(SECRET, 30)


def test_a_ticket_proves_the_fan_it_was_issued_to() -> None:
    fan, ticket = tickets.issue(NOW_S)
    assert tickets.read(ticket, NOW_S) == fan
    assert len(ticket) <= 512


def test_every_worker_with_the_secret_reads_it() -> None:
    fan, ticket = tickets.issue(NOW_S)
    assert Tickets(SECRET, 30).read(ticket, NOW_S) == fan


def test_no_two_fans_are_alike() -> None:
    assert len({tickets.issue(NOW_S)[0] for _ in range(1_000)}) == 1_000


def test_a_fan_id_is_no_ticket() -> None:
    fan, _ = tickets.issue(NOW_S)
    assert tickets.read(fan, NOW_S) is None


def test_a_ticket_is_good_for_its_days_and_not_a_second_longer() -> None:
    _, ticket = tickets.issue(NOW_S)
    assert tickets.read(ticket, NOW_S + 30 * DAY_S) is not None
    assert tickets.read(ticket, NOW_S + 30 * DAY_S + 1) is None


def test_a_machine_whose_clock_is_a_little_behind_believes_a_fresh_ticket() -> None:
    _, ticket = tickets.issue(NOW_S)
    assert tickets.read(ticket, NOW_S - SKEW_S) is not None
    assert tickets.read(ticket, NOW_S - SKEW_S - 1) is None


def test_a_ticket_that_was_seen_before_ends_as_any_other() -> None:
    fan, ticket = tickets.issue(NOW_S)
    for now_s, who in (
        (NOW_S, fan),
        (NOW_S + 30 * DAY_S + 1, None),
        (NOW_S + 30 * DAY_S, fan),
        (NOW_S - SKEW_S - 1, None),
        (NOW_S, fan),
    ):
        assert tickets.read(ticket, now_s) == who


def test_only_so_many_tickets_are_remembered_and_all_are_read() -> None:
    busy = Tickets(SECRET, 30)
    people = [busy.issue(NOW_S) for _ in range(KNOWN_MAX + 10)]
    for _ in range(2):
        for fan, ticket in people:
            assert busy.read(ticket, NOW_S) == fan
            assert busy.read(f"{ticket}A", NOW_S) is None
        assert len(busy._known) <= KNOWN_MAX


def test_another_house_does_not_believe_it() -> None:
    _, ticket = tickets.issue(NOW_S)
    assert Tickets(SECRET.upper(), 30).read(ticket, NOW_S) is None


def test_no_character_of_a_ticket_can_be_another() -> None:
    _, ticket = tickets.issue(NOW_S)
    for i, was in enumerate(ticket):
        for other in "Aa0-_.b":
            if other != was:
                assert tickets.read(ticket[:i] + other + ticket[i + 1 :], NOW_S) is None, i


def test_no_shorter_and_no_longer_ticket_is_good() -> None:
    _, ticket = tickets.issue(NOW_S)
    for i in range(len(ticket)):
        assert tickets.read(ticket[:i], NOW_S) is None
    for more in ("A", ".", "=", ".f1", "\0", "é"):
        assert tickets.read(ticket + more, NOW_S) is None
        assert tickets.read(more + ticket, NOW_S) is None


def test_a_younger_time_cannot_be_written_into_it() -> None:
    _, ticket = tickets.issue(NOW_S - 40 * DAY_S)
    version, fan, _, mac = ticket.split(".")
    assert tickets.read(f"{version}.{fan}.{NOW_S:x}.{mac}", NOW_S) is None


def test_a_mac_over_the_same_words_for_another_purpose_is_no_ticket() -> None:
    """The same tickets signs other things; none of them may stand in for a ticket."""
    fan, ticket = tickets.issue(NOW_S)
    issued = ticket.split(".")[2]
    key = hmac.digest(SECRET.encode(), b"dropengine:tickets", "sha256")
    for purpose in (b"", b"dropengine:creator:f1:", b"dropengine:fan:f2:"):
        for signer in (key, SECRET.encode()):
            mac = hmac.digest(signer, purpose + f"{fan}:{issued}".encode(), "sha256")[:16]
            text = base64.urlsafe_b64encode(mac).rstrip(b"=").decode()
            assert tickets.read(f"f1.{fan}.{issued}.{text}", NOW_S) is None


@pytest.mark.parametrize("version", ["", "f0", "f2", "F1", "none", "f1 "])
def test_a_version_that_is_not_ours_is_refused(version: str) -> None:
    _, ticket = tickets.issue(NOW_S)
    assert tickets.read(ticket.replace("f1", version, 1), NOW_S) is None


@given(st.text(max_size=600))
def test_whatever_is_shown_instead_of_a_ticket_is_nobody(text: str) -> None:
    assert tickets.read(text, NOW_S) is None


@given(st.lists(st.text(max_size=60), min_size=3, max_size=3))
def test_whatever_has_the_shape_of_a_ticket_is_nobody(parts: list[str]) -> None:
    assert tickets.read(".".join(["f1", *parts]), NOW_S) is None
