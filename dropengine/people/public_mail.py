"""Which mail domains anybody may have an address at; every other one is somebody's own: a firm's, a
school's, a person's.

The list is of those that most people know, and need not be complete: a shop may name more of them
(`public_mail_domains`), and a maker lets a domain in, drop by drop.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

_LIST: Final = """
    aol.com arcor.de att.net bellsouth.net bigpond.com bluewin.ch bol.com.br btinternet.com
    charter.net comcast.net cox.net duck.com earthlink.net email.com email.cz fastmail.com
    fastmail.fm free.fr freenet.de gmail.com gmx.at gmx.ch gmx.com gmx.de gmx.net googlemail.com
    hanmail.net hey.com hotmail.co.uk hotmail.com hotmail.de hotmail.es hotmail.fr hotmail.it
    icloud.com interia.pl kpnmail.nl laposte.net libero.it live.com live.de live.fr live.it live.nl
    mac.com mail.com mail.de mail.ru mailbox.org me.com msn.com naver.com o2.pl online.no orange.fr
    outlook.com outlook.de outlook.es outlook.fr outlook.it pm.me posteo.de proton.me
    protonmail.com qq.com rocketmail.com sapo.pt sbcglobal.net seznam.cz sfr.fr sky.com
    skynet.be sunrise.ch t-online.de telenet.be terra.com.br tiscali.it tuta.com tutanota.com
    uol.com.br verizon.net virgilio.it vodafone.de wanadoo.fr web.de wp.pl yahoo.co.jp yahoo.co.uk
    yahoo.com yahoo.de yahoo.es yahoo.fr yahoo.it yandex.ru ymail.com ziggo.nl zoho.com 126.com
    163.com 1und1.de aon.at
"""
PUBLIC: Final = frozenset(_LIST.split())
_UNDER_COUNTRIES: Final = frozenset(
    {"ac", "co", "com", "edu", "go", "gov", "ne", "net", "or", "org"}
)
"""Second names of which countries sell the third."""


def own_domain(address: str, also: Collection[str] = ()) -> str:
    """The domain that somebody owns under which this address stands, however many names he put
    before it; '' for a public one, and for no address. also: domains that are public here, with all
    that stands under them."""
    names = address.rpartition("@")[2].lower().split(".")
    if len(names) < 2 or any(".".join(names[at:]) in also for at in range(len(names))):
        return ""
    third = len(names) > 2 and len(names[-1]) == 2 and names[-2] in _UNDER_COUNTRIES
    owned = ".".join(names[-3:] if third else names[-2:])
    return "" if owned in PUBLIC else owned
