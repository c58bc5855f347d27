"""A ticket is good exactly where, when and as it was signed."""

from __future__ import annotations

import base64
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropengine.model import DropId, FanId
from dropengine.people.tickets import (
    BEFORE,
    KNOWN_MAX,
    PERSON_S,
    VERIFIED,
    Tickets,
    name_of_session,
    new_key,
    of_guest,
    pseudonym,
)

SECRET = "a secret of thirty-two characters"
NOW_S = 1_800_000_000
DAY_S = 86_400
SKEW_S = 300
PIN, LAMP = DropId("pin"), DropId("lamp")
OLD = "QUJDREVGR0hJSktMTU5PUA"
"""The id of a guest of before, in the open."""

tickets = Tickets(SECRET, 30)


def read(ticket: str, now_s: int = NOW_S, by: Tickets = tickets) -> bytes | None:
    """The key of whoever holds it."""
    found = by.read(ticket, now_s)
    return None if found is None else found.key


def signed_before(fan: str, issued_s: int) -> str:
    """A ticket as they were before each drop had ids of its own."""
    key = hmac.digest(SECRET.encode(), b"dropengine:tickets", "sha256")
    said = f"{fan}:{issued_s:x}".encode()
    mac = hmac.digest(key, b"dropengine:fan:f1:" + said, "sha256")[:16]
    return f"f1.{fan}.{issued_s:x}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def test_a_ticket_proves_the_guest_it_was_issued_to() -> None:
    guest, ticket = tickets.issue(NOW_S)
    assert read(ticket) == guest.key
    assert not guest.person
    assert len(ticket) <= 512


def test_an_id_in_a_drop_is_sixteen_bytes_of_the_mac_of_its_id_under_the_key() -> None:
    guest, ticket = tickets.issue(NOW_S)
    for drop in (PIN, LAMP):
        mac = hmac.digest(guest.key, drop.encode(), "sha256")[:16]
        wanted = base64.urlsafe_b64encode(mac).rstrip(b"=").decode()
        found = tickets.read(ticket, NOW_S)
        assert found is not None
        assert found.fan(drop, "guest") == pseudonym(guest.key, drop) == wanted


def test_who_somebody_is_in_one_drop_says_nothing_of_another() -> None:
    guest, ticket = tickets.issue(NOW_S)
    found = tickets.read(ticket, NOW_S)
    assert found is not None
    ids = {found.fan(DropId(f"drop-{n}"), "guest") for n in range(100)}
    assert len(ids) == 100
    assert all(one is not None and one not in ticket and guest.name not in one for one in ids)
    # Asked in turn, it is the same each time.
    assert [found.fan(drop, "guest") for drop in (PIN, LAMP, PIN)] == [
        pseudonym(guest.key, drop) for drop in (PIN, LAMP, PIN)
    ]


def test_only_a_person_is_anybody_where_he_must_be_known() -> None:
    guest, _ = tickets.issue(NOW_S)
    assert guest.fan(PIN, "verified") is None
    key = new_key()
    person = tickets.read(tickets.issue_to(key, "phone", NOW_S), NOW_S)
    assert person is not None
    assert person.person
    assert person.fan(PIN, "verified") == person.fan(PIN, "guest") == pseudonym(key, PIN)


def test_two_sessions_of_a_person_are_one_fan() -> None:
    key = new_key()
    texts = [tickets.issue_to(key, session, NOW_S) for session in ("phone", "desk")]
    found = [tickets.read(text, NOW_S) for text in texts]
    assert len({one.fan(PIN, "verified") for one in found if one is not None}) == 1
    assert [one.name for one in found if one is not None] == [
        name_of_session("phone"),
        name_of_session("desk"),
    ]


def test_a_guest_of_before_keeps_his_id_in_drops_of_before_and_nowhere_else() -> None:
    ticket = signed_before(OLD, NOW_S)
    for _ in range(2):
        found = tickets.read(ticket, NOW_S)
        assert found is not None
        assert found.fan(PIN, BEFORE) == OLD
        fresh = found.fan(PIN, "guest")
        # Everybody may know the old id: nobody may make the new ones of it.
        assert fresh not in (None, OLD, pseudonym(OLD.encode(), PIN))
        assert found.fan(LAMP, "guest") not in (fresh, OLD)
        assert found.fan(PIN, BEFORE) == OLD
        assert set(found.any_fan(PIN)) == {OLD, fresh}
    new, _ = tickets.issue(NOW_S)
    assert new.fan(PIN, BEFORE) == pseudonym(new.key, PIN)
    assert new.any_fan(PIN) == [pseudonym(new.key, PIN)]


def test_a_name_by_which_a_ticket_is_taken_back_tells_no_key() -> None:
    guest, _ = tickets.issue(NOW_S)
    assert of_guest(guest.name)
    assert base64.urlsafe_b64encode(guest.key).rstrip(b"=").decode() not in guest.name
    assert not of_guest(name_of_session("g.x"))


def test_every_worker_with_the_secret_reads_it() -> None:
    guest, ticket = tickets.issue(NOW_S)
    assert read(ticket, by=Tickets(SECRET, 30)) == guest.key


def test_no_two_guests_are_alike() -> None:
    assert len({tickets.issue(NOW_S)[0].key for _ in range(1_000)}) == 1_000


def test_an_id_or_a_key_is_no_ticket() -> None:
    guest, _ = tickets.issue(NOW_S)
    for text in (str(pseudonym(guest.key, PIN)), guest.key.hex(), guest.name):
        assert read(text) is None


def test_a_ticket_is_good_for_its_days_and_not_a_second_longer() -> None:
    _, ticket = tickets.issue(NOW_S)
    assert read(ticket, NOW_S + 30 * DAY_S) is not None
    assert read(ticket, NOW_S + 30 * DAY_S + 1) is None


def test_a_persons_ticket_is_good_for_a_day_and_by_an_old_one_he_is_asked_for_again() -> None:
    ticket = tickets.issue_to(new_key(), "phone", NOW_S)
    assert read(ticket, NOW_S + PERSON_S) is not None
    assert read(ticket, NOW_S + PERSON_S + 1) is None
    late = tickets.signed(ticket, NOW_S + 100 * DAY_S)
    assert late is not None
    assert late.session == "phone"
    assert tickets.signed(ticket, NOW_S - SKEW_S - 1) is None
    assert tickets.signed(ticket[:-1], NOW_S) is None


def test_a_machine_whose_clock_is_a_little_behind_believes_a_fresh_ticket() -> None:
    _, ticket = tickets.issue(NOW_S)
    assert read(ticket, NOW_S - SKEW_S) is not None
    assert tickets.read(ticket, NOW_S - SKEW_S - 1) is None


def test_a_ticket_that_was_seen_before_ends_as_any_other() -> None:
    guest, ticket = tickets.issue(NOW_S)
    for now_s, who in (
        (NOW_S, guest.key),
        (NOW_S + 30 * DAY_S + 1, None),
        (NOW_S + 30 * DAY_S, guest.key),
        (NOW_S - SKEW_S - 1, None),
        (NOW_S, guest.key),
    ):
        assert read(ticket, now_s) == who


def test_only_so_many_tickets_are_remembered_and_all_are_read() -> None:
    busy = Tickets(SECRET, 30)
    people = [busy.issue(NOW_S) for _ in range(KNOWN_MAX + 10)]
    for _ in range(2):
        for guest, ticket in people:
            assert read(ticket, by=busy) == guest.key
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
    version, said, _, mac = ticket.split(".")
    assert tickets.read(f"{version}.{said}.{NOW_S:x}.{mac}", NOW_S) is None


def test_a_mac_over_the_same_words_for_another_purpose_is_no_ticket() -> None:
    """The same tickets signs other things; none of them may stand in for a ticket."""
    _, ticket = tickets.issue(NOW_S)
    _, said, issued, _ = ticket.split(".")
    key = hmac.digest(SECRET.encode(), b"dropengine:tickets", "sha256")
    for purpose in (b"", b"dropengine:creator:f2:", b"dropengine:fan:f1:", b"dropengine:fan:p1:"):
        for signer in (key, SECRET.encode()):
            mac = hmac.digest(signer, purpose + f"{said}:{issued}".encode(), "sha256")[:16]
            text = base64.urlsafe_b64encode(mac).rstrip(b"=").decode()
            assert tickets.read(f"f2.{said}.{issued}.{text}", NOW_S) is None


@pytest.mark.parametrize("version", ["", "f0", "f1", "p1", "F2", "none", "f2 "])
def test_a_version_that_is_not_ours_is_refused(version: str) -> None:
    _, ticket = tickets.issue(NOW_S)
    assert tickets.read(ticket.replace("f2", version, 1), NOW_S) is None


@given(st.text(max_size=600))
def test_whatever_is_shown_instead_of_a_ticket_is_nobody(text: str) -> None:
    assert tickets.read(text, NOW_S) is None


@given(st.lists(st.text(max_size=60), min_size=3, max_size=3))
def test_whatever_has_the_shape_of_a_ticket_is_nobody(parts: list[str]) -> None:
    for version in ("f1", "f2", "p1"):
        assert tickets.read(".".join([version, *parts]), NOW_S) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ana@firm.example", "Bo@EU.Firm.example"),
        ("ana@dept.uni.ac.at", "bo@uni.ac.at"),
        ("ana@shop.co.uk", "bo@mail.shop.co.uk"),
    ],
)
def test_a_persons_ticket_tells_his_own_mail_domain_by_a_word_that_nobody_can_read(
    one: str, other: str
) -> None:
    was = {DropId("pin"): FanId("fan-of-before")}
    told = [
        tickets.read(tickets.issue_to(new_key(), "session", NOW_S, was, address=address), NOW_S)
        for address in (one, other, "cy@gmail.com", "di@elsewhere.example", "")
    ]
    mine, colleague, public, stranger, nobody = [found.domain for found in told if found]
    assert mine == colleague != ""
    assert (public, nobody) == ("", "")
    assert stranger not in ("", mine)
    assert "firm" not in mine
    assert {found.fan(DropId("pin"), VERIFIED) for found in told if found} == {"fan-of-before"}


@pytest.mark.parametrize(
    ("address", "counts"),
    [
        ("ana@post.example", False),
        ("ana@Town.post.example", False),
        ("ana@members.club.example", False),
        ("ana@club.example", True),
        ("ana@outpost.example", True),
    ],
)
def test_at_a_domain_that_a_shop_calls_public_nobody_is_counted(
    address: str, *, counts: bool
) -> None:
    here = Tickets(SECRET, 30, ("post.example", "members.club.example"))
    found = here.read(here.issue_to(new_key(), "session", NOW_S, address=address), NOW_S)
    assert found is not None
    assert bool(found.domain) == counts
