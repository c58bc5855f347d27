"""Who is this, may he act: the answers that every door gets."""

from __future__ import annotations

import ast
import time
from itertools import count
from pathlib import Path

import pytest
from starlette.responses import Response

import dropengine
from dropengine import refusals
from dropengine.config import Settings
from dropengine.doors.identity import KNOWN_MAX, Identity, Origins, by_name
from dropengine.model import ShopId
from dropengine.people.revoked import Revoked
from dropengine.people.tickets import Ticket, Tickets, new_key

SETTINGS = Settings(port=8123, origins=("https://shop.example",))
TICKETS = Tickets("a secret of thirty-two characters", SETTINGS.ticket_days)


def known() -> tuple[Ticket, str]:
    _, text = TICKETS.issue(int(time.time()))
    found = TICKETS.read(text, int(time.time()))
    assert found is not None
    return found, text


ADA, ADAS = known()
BEN, BENS = known()

SHOP, OTHER = ShopId("5e" * 16), ShopId("07" * 16)
identity = Identity(SETTINGS, TICKETS, SHOP)


def said(**headers: str) -> dict[bytes, bytes]:
    return {name.encode(): value.encode("latin-1") for name, value in headers.items()}


def test_of_two_headers_with_one_name_the_first_one_counts() -> None:
    twice = [(b"cookie", b"fan=x"), (b"host", b"a"), (b"cookie", b"fan=y")]
    assert by_name(twice) == {b"host": b"a", b"cookie": b"fan=x"}
    assert by_name(iter(twice))[b"cookie"] == b"fan=x"


def test_who_calls_us_by_two_names_calls_us_by_none() -> None:
    for second in (b"localhost:8123", b"127.0.0.1:8123", b"evil.example", b""):
        for order in (1, -1):
            hosts = [(b"host", b"localhost:8123"), (b"host", second)][::order]
            assert not identity.names_us(by_name([*hosts, (b"cookie", b"fan=x")]))


@pytest.mark.parametrize(
    ("headers", "fan"),
    [
        ({}, None),
        ({"cookie": f"fan={ADAS}"}, ADA),
        ({"cookie": f"a=b; __Host-fan={ADAS}; fan={BENS}"}, ADA),
        ({"cookie": "fan=y; __Host-fan=x"}, None),
        ({"cookie": f"fan-5e5e5e5e={ADAS}; fan={BENS}; __Host-fan={BENS}"}, ADA),
        ({"cookie": f"fan={BENS}; fan-5e5e5e5e={ADAS}"}, ADA),
        # Under the old name stands what another shop of this host gave out.
        ({"cookie": f"fan-5e5e5e5e={ADAS}; fan=f1.x.6553f100.AAAA"}, ADA),
        ({"cookie": f"fan-5e5e5e5e=x; fan={BENS}"}, BEN),
        ({"cookie": f"fan={BENS}; __Host-fan=x"}, BEN),
        ({"cookie": f"fan-07070707={ADAS}"}, None),
        ({"cookie": f"fan-5e5e5e5={ADAS}; fan-5e5e5e5e5={ADAS}"}, None),
        ({"cookie": f"guest={ADAS}"}, None),
        ({"authorization": f"Bearer {ADAS}"}, ADA),
        ({"authorization": f"BEARER  {ADAS} "}, ADA),
        ({"authorization": f"Bearer {ADAS}", "cookie": f"fan={BENS}"}, ADA),
        ({"authorization": "Bearer x", "cookie": f"fan={BENS}"}, None),
        ({"authorization": f"Basic {ADAS}", "cookie": f"fan={BENS}"}, BEN),
        ({"authorization": "Bearer", "cookie": f"fan={BENS}"}, BEN),
        ({"authorization": ADAS}, None),
    ],
    ids=count(),
)
def test_a_ticket_is_shown_by_its_holder_or_lent_by_his_browser(
    headers: dict[str, str], fan: Ticket | None
) -> None:
    assert identity.who(said(**headers)) == fan


@pytest.mark.parametrize(
    ("cookie", "fan"),
    [
        (f"__Host-fan={ADAS}", ADA),
        (f"fan={BENS}; __Host-fan={ADAS}", ADA),
        (f"__Host-fan-5e5e5e5e={ADAS}; __Host-fan={BENS}", ADA),
        (f"fan={BENS}", None),
        (f"fan-5e5e5e5e={BENS}", None),
        (f"fan={BENS}; __host-fan={BENS}", None),
        (f"fan={BENS}; __Secure-fan={BENS}", None),
    ],
    ids=count(),
)
def test_over_https_a_cookie_counts_that_no_neighbour_could_set(
    cookie: str, fan: Ticket | None
) -> None:
    secure = Identity(Settings(public_url="https://drops.example"), TICKETS, SHOP)
    assert secure.who(said(cookie=cookie)) == fan


def test_a_person_goes_before_the_guest_of_his_browser_and_never_back_to_him() -> None:
    now_s = int(time.time())
    key = new_key()
    good = TICKETS.issue_to(key, "session", now_s)
    old = TICKETS.issue_to(key, "session", now_s - 86_401)
    kept = f"fan-5e5e5e5e={BENS}; person-5e5e5e5e="
    person = identity.who(said(cookie=kept + good))
    assert person is not None
    assert person.key == key
    for over in (old, good[:-1], "", BENS + "x"):
        assert identity.who(said(cookie=kept + over)) is None
    assert identity.who(said(authorization=f"Bearer {good}")) is person


def test_a_ticket_that_was_taken_back_is_nobodys() -> None:
    revoked = Revoked()
    here = Identity(SETTINGS, TICKETS, SHOP, revoked)
    text = TICKETS.issue_to(new_key(), "phone", int(time.time()))
    found = here.whose(text)
    assert found is not None
    revoked.learn({found.name: 2}, 1)
    assert here.whose(text) is None
    assert here.who(said(cookie=f"person-5e5e5e5e={text}")) is None
    assert here.whose(ADAS) is ADA
    revoked.forget(2)
    assert here.whose(text) is found


def test_a_ticket_in_the_first_message_is_the_same_ticket() -> None:
    assert identity.whose(ADAS) == identity.who(said(cookie=f"fan={ADAS}")) == ADA
    assert identity.whose(ADAS[:-1]) is None
    assert identity.whose("") is None


def test_a_cookie_proves_nothing_and_a_ticket_that_is_shown_does() -> None:
    host = {"host": "localhost:8123"}
    cookie = said(**host, cookie=f"fan={ADAS}")
    assert identity.may_act(cookie) == refusals.SignIn()
    assert identity.may_act(cookie, socket=True) == refusals.SignIn()
    assert identity.may_act(said(**host)) == refusals.SignIn()
    assert identity.may_act(said(**host, authorization=f"Basic {ADAS}")) == refusals.SignIn()
    # Whether the ticket is good is another question: here it only must not be a browser's.
    assert identity.may_act(said(**host, authorization="Bearer x")) is None
    assert identity.may_act(said(**host), socket=True) is None
    assert identity.may_act(cookie, proves_itself=True) is None


def test_a_strange_page_may_not_act_whatever_it_shows() -> None:
    evil = said(host="localhost:8123", origin="http://evil.example")
    for more in ({}, said(authorization=f"Bearer {ADAS}"), said(cookie=f"fan={ADAS}")):
        for socket, signed in ((False, False), (True, False), (False, True)):
            refusal = identity.may_act({**evil, **more}, socket=socket, proves_itself=signed)
            assert refusal == refusals.NotEligible()


def test_only_our_own_pages_may_talk_to_a_server_on_loopback() -> None:
    origins = Origins(SETTINGS)
    for host in (b"127.0.0.1:8123", b"localhost:8123", b"[::1]:8123"):
        assert origins.names_us(host)
        assert origins.may_act(b"http://" + host, host)
        assert origins.may_act(b"https://shop.example", host)
        assert not origins.may_act(b"http://shop.example", host)
        assert not origins.may_act(b"http://localhost:8124", host)


@pytest.mark.parametrize("public", ["https://drops.example", "https://drops.example:8443"])
def test_a_page_reaches_us_as_people_do(public: str) -> None:
    origins = Origins(Settings(host="127.0.0.1", public_url=public))
    place = public.removeprefix("https://").encode()
    assert origins.names_us(place)
    assert origins.may_act(b"https://" + place, place)
    for scheme in (b"http", b"ws", b"wss", b"ftp", b""):
        assert not origins.may_act(scheme + b"://" + place, place)
    # Another port of the same name is reached the same way or not at all.
    assert not origins.may_act(b"http://drops.example:81", b"drops.example:81")
    # On the machine itself there is no TLS, so a page of the machine may come without.
    assert origins.names_us(b"localhost:8000")
    assert origins.may_act(b"http://localhost:8000", b"localhost:8000")


def test_behind_a_public_address_loopback_pages_are_strangers() -> None:
    origins = Origins(Settings(host="192.168.7.7", public_url="https://drops.example"))
    for host in (b"drops.example", b"192.168.7.7:8000"):
        assert origins.names_us(host)
        assert origins.may_act(b"https://drops.example", host)
        assert not origins.may_act(b"http://127.0.0.1:8000", host)
        assert not origins.may_act(b"http://localhost:8000", host)


def test_strangers_fill_no_memory_and_what_is_remembered_stays_true() -> None:
    origins = Origins(SETTINGS)
    for i in range(2 * KNOWN_MAX):
        host = b"localhost:%d" % (i + 1)
        assert origins.names_us(host)
        assert origins.may_act(b"http://" + host, host)
        assert not origins.names_us(b"evil%d.example" % i)
        assert not origins.may_act(b"http://evil%d.example" % i, host)
    # The first is remembered, the last is not: both are answered alike.
    for host in (b"localhost:1", b"localhost:%d" % (2 * KNOWN_MAX)):
        assert origins.may_act(b"http://" + host, host)
        assert not origins.may_act(b"http://localhost:2", host)


def test_a_guest_keeps_his_ticket_and_a_newcomer_gets_one() -> None:
    assert identity.guest({"fan": ADAS}) == ADA
    for cookies in ({}, {"fan": "x"}, {"__Host-fan": ADAS}):
        assert identity.guest(cookies) is None
    fan, ticket = identity.newcomer()
    assert fan != ADA
    found = identity.whose(ticket)
    assert found is not None
    assert found.key == fan.key


@pytest.mark.parametrize("public", [None, "https://shop.example", "http://shop.example:81"])
def test_a_ticket_of_ours_under_the_old_name_is_issued_anew_under_our_own(
    public: str | None,
) -> None:
    one = Identity(Settings(public_url=public), TICKETS, SHOP)
    old = one.cookie.removesuffix("-5e5e5e5e")
    for cookies in ({old: ADAS}, {old: ADAS, one.cookie: "x"}):
        response = Response()
        assert one.guest(cookies) == ADA
        one.hand_on(cookies, response)
        assert response.headers["set-cookie"].startswith(f"{one.cookie}={ADAS}; ")
    for cookies in ({one.cookie: ADAS}, {one.cookie: ADAS, old: BENS}, {old: "x"}, {}):
        response = Response()
        one.hand_on(cookies, response)
        assert "set-cookie" not in response.headers


def test_two_shops_on_one_host_keep_their_fans_in_one_jar() -> None:
    theirs = Tickets("another secret of thirty-two chars", SETTINGS.ticket_days)
    other = Identity(Settings(port=8124), theirs, OTHER)
    jar: dict[str, str] = {}
    seen: dict[str, list[Ticket | None]] = {"here": [], "there": []}
    for _ in range(3):
        for where, shop in (("here", identity), ("there", other)):
            if shop.guest(jar) is None:
                jar[shop.cookie] = shop.newcomer()[1]
            seen[where].append(shop.guest(jar))
    assert all(len(set(fans)) == 1 for fans in seen.values())
    cookie = said(cookie="; ".join(f"{name}={ticket}" for name, ticket in jar.items()))
    assert (identity.who(cookie), other.who(cookie)) == (seen["here"][0], seen["there"][0])


def test_over_https_the_cookie_is_bound_to_its_host() -> None:
    safe = Identity(Settings(public_url="https://shop.example"), TICKETS, SHOP)
    assert safe.cookie == "__Host-fan-5e5e5e5e"
    assert identity.cookie == "fan-5e5e5e5e"
    assert (safe.secure, identity.secure) == (True, False)
    responses = Response(), Response()
    safe.hand_out(ADAS, responses[0])
    identity.hand_out(ADAS, responses[1])
    bound, plain = (response.headers["set-cookie"] for response in responses)
    assert bound.startswith(f"__Host-fan-5e5e5e5e={ADAS}; ")
    assert bound.endswith("Path=/; SameSite=lax; Secure")
    assert plain.endswith("Path=/; SameSite=lax")
    assert "HttpOnly" in bound
    assert "HttpOnly" in plain


PROOFS = frozenset({"authorization", "cookie", "origin", "host"})
"""Headers that say who somebody is and where he comes from."""


def readers(text: str) -> list[tuple[int, str]]:
    """(line, header) wherever Python names one of them to look it up in headers."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
            word = node.value if isinstance(node.value, str) else node.value.decode("latin-1")
            if word.lower() in PROOFS:
                found.append((node.lineno, word))
    return found


def test_no_other_door_reads_what_proves_somebody() -> None:
    package = Path(dropengine.__file__).parent
    doors = {path for folder in ("doors", "live") for path in (package / folder).rglob("*.py")}
    doors -= {package / "doors" / "openapi.py", package / "doors" / "identity.py"}
    found = {path.name: readers(path.read_text()) for path in [*doors, package / "app.py"]}
    assert {name: lines for name, lines in found.items() if lines} == {}


def test_a_reader_of_its_own_is_found() -> None:
    """The control of the test above."""
    assert readers('if b"Cookie" in headers:\n    page = headers.get("origin", "")') == [
        (1, "Cookie"),
        (2, "origin"),
    ]
    here = Path(dropengine.__file__).parent / "doors" / "identity.py"
    assert {word for _, word in readers(here.read_text())} == PROOFS
