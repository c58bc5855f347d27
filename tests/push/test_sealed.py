"""What a push service carries is read by one browser and by nobody else."""

from __future__ import annotations

import http_ece
import pytest

from dropengine.push.sealed import TEXT_BYTES_MAX, check_keys, seal
from tests.kit.push_service import Browser, raw, text

# RFC 8291, appendix A: what its browser sent.
P256DH = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
AUTH = "BTBZMqHH6r4Tts7J_aSIgg"


def test_only_its_browser_reads_it() -> None:
    ana, ben = Browser("https://push.example/a"), Browser("https://push.example/b")
    sealed = seal(b'{"a": 1}', ana.p256dh, ana.auth)
    assert ana.reads(sealed) == {"a": 1}
    with pytest.raises(http_ece.ECEException):
        ben.reads(sealed)
    broken = sealed[:-1] + bytes([sealed[-1] ^ 1])
    with pytest.raises(http_ece.ECEException):
        ana.reads(broken)


def test_the_same_twice_is_not_the_same_outside() -> None:
    ana = Browser("https://push.example/a")
    assert seal(b"1", ana.p256dh, ana.auth) != seal(b"1", ana.p256dh, ana.auth)


def test_the_longest_fits_into_what_services_take() -> None:
    ana = Browser("https://push.example/a")
    assert len(seal(b"x" * TEXT_BYTES_MAX, ana.p256dh, ana.auth)) <= 4_096
    with pytest.raises(ValueError, match="at most"):
        seal(b"x" * (TEXT_BYTES_MAX + 1), ana.p256dh, ana.auth)


def test_keys_as_a_standard_has_them_are_keys() -> None:
    check_keys(P256DH, AUTH)
    check_keys(P256DH + "=", AUTH + "==")


@pytest.mark.parametrize(
    ("p256dh", "auth"),
    [
        ("", AUTH),
        (P256DH, ""),
        (P256DH[:-2], AUTH),
        (P256DH, AUTH + "AAAA"),
        (P256DH.replace("B", "A", 1), AUTH),
        # A point beside the curve would give our key away.
        (text(b"\x04" + b"\x01" * 64), AUTH),
        (text(b"\x04" + bytes(64)), AUTH),
        (text(b"\x02" + raw(P256DH)[1:]), AUTH),
        (P256DH, "äöü"),
        ("\n" + P256DH, AUTH),
        (P256DH, "++++" * 5),
    ],
)
def test_what_is_no_key_is_refused(p256dh: str, auth: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - each in its own words
        check_keys(p256dh, auth)
