"""The decimals of each currency, and money in words: a price is a whole number of its smallest
unit."""

from __future__ import annotations

from typing import Final

from dropengine.catalogue import ENGLISH, Catalogue

_NO_MINOR = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE_MINOR = "BHD IQD JOD KWD LYD OMR TND"
_TWO_MINOR = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF "
    "CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD "
    "HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA "
    "MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN "
    "QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP "
    "TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD XCG YER ZAR ZMW ZWG"
)
MINOR_DIGITS: Final[dict[str, int]] = {
    **dict.fromkeys(_TWO_MINOR.split(), 2),
    **dict.fromkeys(_NO_MINOR.split(), 0),
    **dict.fromkeys(_THREE_MINOR.split(), 3),
}
"""ISO 4217: the decimals of each currency. A price of 2400 is EUR 24.00, JPY 2400 or KWD 2.400."""

SIGNS: Final = {"EUR": "€", "GBP": "£", "JPY": "¥", "USD": "$"}
"""Currencies whose sign everybody reads alike; the others are written by their code."""


def money(amount: int, currency: str, minor_digits: int, say: Catalogue = ENGLISH) -> str:
    """2400, EUR, 2 -> `€24.00`, or `CHF 24.00` where a sign is ambiguous: exact, as scripts write
    it in this language."""
    whole, rest = divmod(amount, 10**minor_digits)
    digits = f"{say('number.decimal')}{rest:0{minor_digits}d}" if minor_digits else ""
    written = f"{say.whole(whole)}{digits}"
    sign = SIGNS.get(currency)
    if sign is None:
        return say("price.code", code=currency, sum=written)
    return say("price.sign", sign=sign, sum=written)
