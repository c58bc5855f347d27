"""Every page of the shop by its row in the table of doors. A page that is made later has no place
here yet, and a test says so."""

from __future__ import annotations

from typing import NamedTuple

from dropengine.doors.access import NIGHT_COMMANDS, TABLE

NO_PAGES = {
    "/drops/{drop}/live": "a socket",
    "/studio/drops/{drop}/live": "a socket",
    "/drops/{drop}/events": "a stream",
    "/calls.js": "what browsers are called by",
    "/shop.webmanifest": "what a home screen is told",
    "/icons/{size}.png": "a picture",
    "/drops/{drop}/opens.ics": "a calendar's entry",
    "/drops/{drop}/closes.ics": "a calendar's entry",
    "/drops/{drop}/order.json": "a file that programs read",
    "/drops/{drop}/face.svg": "a picture",
    "/drops/{drop}/share.png": "a picture",
    "/drops/{drop}/card/{code}.png": "a picture",
    "/drops/{drop}/badges/{kind}.svg": "a picture",
    "/makers/pictures/{name}": "a picture",
    "/pictures/{name}": "a picture",
    "/static/{name}": "what pages load",
    "/healthz": "for machines",
    "/readyz": "for machines",
    "/metrics": "for machines",
    "/openapi.json": "for machines",
    "/asyncapi.json": "for machines",
    "/drops/{drop}/maker": "leads on to the page of the maker",
    "/you/data.json": "a file",
    "/you/reached": "for the page's script",
    "/studio/drafts/{draft}/manifest.toml": "a file",
    "/studio/drops/{drop}/manifest.toml": "a file",
    "/studio/drops/{drop}/orders.csv": "a file",
    "/studio/drops/{drop}/money.csv": "a file",
    "/studio/drops/{drop}/cohorts/{cohort}/addresses.csv": "a file",
    "/studio/drops/{drop}/cohorts/{cohort}/codes.csv": "a file",
    "/studio/drops/{drop}/orders.ndjson": "a file",
    "/pay/by_hand/{intent}": "a page of its provider: see test_payer_page",
    "/studio/drops/{drop}/rehearsal/now": "for the page's script",
    "/studio/drops/{drop}/rehearsal/{rehearsal}.json": "a file",
    "/studio/drops/{drop}/rehearsal/{rehearsal}.html": "a page to keep: see test_rehearsal",
}
"""What is read and is no page, and what it is."""
FANS = {
    "/": "index",
    "/drops/{drop}": "open_now",
    "/drops/{drop}/wall": "wall",
    "/drops/{drop}/remind": "reminded",
    "/makers/{maker}": "maker_page",
    "/drops/{drop}/orders/{order}": "order_page",
    "/drops/{drop}/why": "why_page",
    "/drops/{drop}/plain": "plain_till",
    "/pay/local/{intent}": "payment_page",
    "/drops/{drop}/holds/{hold}/asked": "asked",
    "/receive/{token}": "receiving",
    "/you": "you_page",
    "/you/links/{token}": "letters_link",
    "/mail/off/{token}": "letters_off",
}
"""Fans' pages, each with a state of `page_states` that shows it."""


class There(NamedTuple):
    """What a test put there: ids for the parts of addresses. `soon`: a drop that waits. `listed`:
    one whose list is open that chance will order, and `network`: what was limited there."""

    maker: str
    draft: str
    drop: str
    soon: str
    order: str
    link: str
    letter: str = "none"
    listed: str = "none"
    network: str = "none"


def panel(there: There) -> dict[str, list[str]]:
    """Creators' pages: where each of them stands, in all the ways that it can look."""
    drop, draft = f"/studio/drops/{there.drop}", f"/studio/drafts/{there.draft}"
    night, orders = f"{drop}/night", f"{drop}/orders"
    looked = {
        "add": ["?qty=99", "?qty=1"],
        "withdraw": ["?qty=99", "?qty=1"],
        "message": ["?text=Hello"],
        "reschedule": ["?later=30", "?closes=2001-01-01T00:00"],
    }
    listed = f"/studio/drops/{there.listed}"
    about = f"?network={there.network}"
    commands = {
        f"/studio/drops/{{drop}}/night/{verb}": [
            f"{night}/{verb}",
            *(f"{night}/{verb}{query}" for query in looked.get(verb, [])),
            f"/studio/drops/{there.soon}/night/{verb}",
            *([f"{listed}/night/{verb}"] if verb in ("open", "seal", "cancel") else []),
            *([f"{listed}/night/{verb}{about}"] if verb in ("exempt", "restrict") else []),
        ]
        for verb in NIGHT_COMMANDS
    }
    return {
        "/studio": ["/studio"],
        "/studio/sign-in": ["/studio/sign-in"],
        "/studio/links/{token}": [there.link, "/studio/links/one-that-is-over"],
        "/studio/mail/{token}": ["/studio/mail/one-that-is-over"],
        "/studio/way-back": ["/studio/way-back"],
        "/studio/account": ["/studio/account"],
        "/studio/letters": ["/studio/letters", "/studio/letters?state=sent"],
        "/studio/letters/{letter}": [f"/studio/letters/{there.letter}", "/studio/letters/none"],
        "/studio/people": ["/studio/people"],
        "/studio/shop": ["/studio/shop"],
        "/studio/new": ["/studio/new"],
        "/studio/makers/{maker}/audit": [f"/studio/makers/{there.maker}/audit"],
        "/studio/drafts/{draft}": [draft, f"{draft}?check=1"],
        "/studio/drafts/{draft}/preview": [f"{draft}/preview", f"{draft}/preview?state=line"],
        "/studio/drafts/{draft}/publish": [f"{draft}/publish"],
        "/studio/drops/{drop}": [drop, f"/studio/drops/{there.soon}", listed],
        "/studio/drops/{drop}/words": [f"{drop}/words"],
        "/studio/drops/{drop}/night": [
            night,
            f"/studio/drops/{there.soon}/night",
            f"{listed}/night",
        ],
        "/studio/drops/{drop}/report": [f"{drop}/report"],
        "/studio/drops/{drop}/cohorts": [f"{drop}/cohorts", f"/studio/drops/{there.soon}/cohorts"],
        "/studio/drops/{drop}/game": [f"{drop}/game", f"/studio/drops/{there.soon}/game"],
        "/studio/drops/{drop}/payments": [f"{drop}/payments"],
        "/studio/drops/{drop}/by-hand": [f"{drop}/by-hand"],
        "/studio/makers/{maker}/bank": [f"/studio/makers/{there.maker}/bank"],
        "/studio/drops/{drop}/money": [f"{drop}/money"],
        "/studio/drops/{drop}/rehearsal": [
            f"{drop}/rehearsal",
            f"/studio/drops/{there.soon}/rehearsal",
        ],
        "/studio/drops/{drop}/orders": [orders, f"{orders}?asked=nothing"],
        "/studio/drops/{drop}/orders/packing": [f"{orders}/packing"],
        "/studio/drops/{drop}/orders/{order}": [f"{orders}/{there.order}", f"{orders}/h-none"],
        "/studio/drops/{drop}/orders/refund": [f"{orders}/refund?order={there.order}"],
        **commands,
    }


def forgotten() -> set[str]:
    """What is read at a door and stands in none of the lists."""
    nowhere = There("m", "d", "d", "d", "o", "l")
    read = {path for method, path in TABLE if method == "GET" and not path.startswith("/api/")}
    return read ^ (NO_PAGES.keys() | FANS.keys() | panel(nowhere).keys())
