from __future__ import annotations

from dropengine.payments.by_hand.page_address import PAGES, PageAddresses


def test_only_an_address_with_our_seal_leads_to_an_intent() -> None:
    ours = PageAddresses(b"secret")
    path = ours.of("eclipse.p1.abc")
    assert path.startswith(PAGES)
    page = path.removeprefix(PAGES)
    assert ours.intent(page) == "eclipse.p1.abc"
    assert PageAddresses(b"other").intent(page) == ""
    assert ours.intent("eclipse.p1.abc") == ours.intent(page.replace("p1", "p2")) == ""
