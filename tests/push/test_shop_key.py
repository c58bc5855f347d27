"""The key that push services know a shop by is made once, and what it signs is ours."""

from __future__ import annotations

import stat
from pathlib import Path

import msgspec
import pytest

from dropengine.config import Settings
from dropengine.errors import ConfigError
from dropengine.push import shop_key
from dropengine.push.shop_key import GOOD_S, ShopKey
from tests.kit.push_service import vapid

ORIGIN = "https://push.example"
NOW_S = 1_800_000_000


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, public_url="https://pins.example")


def test_it_is_made_on_the_first_run_for_its_owner_alone_and_stays(settings: Settings) -> None:
    first, again = shop_key.of_shop(settings), shop_key.of_shop(settings)
    assert first.public == again.public
    assert stat.S_IMODE((settings.data_dir / "push_key").stat().st_mode) == 0o600


def test_hosts_of_one_shop_are_given_the_same(settings: Settings, tmp_path: Path) -> None:
    given = shop_key.new()
    one = msgspec.structs.replace(settings, push_key=given, data_dir=tmp_path / "one")
    two = msgspec.structs.replace(settings, push_key=given, data_dir=tmp_path / "two")
    assert shop_key.of_shop(one).public == shop_key.of_shop(two).public
    assert not (tmp_path / "one").exists()


def test_one_that_others_can_read_is_refused(settings: Settings) -> None:
    shop_key.of_shop(settings)
    (settings.data_dir / "push_key").chmod(0o640)
    with pytest.raises(ConfigError, match="chmod 600"):
        shop_key.of_shop(settings)


@pytest.mark.parametrize("kept", ["", "abc", "A" * 43, "not a key, but as long as one would be .."])
def test_a_file_that_holds_no_key_is_told(settings: Settings, kept: str) -> None:
    path = settings.data_dir / "push_key"
    path.touch(mode=0o600)
    path.write_text(kept)
    with pytest.raises(ConfigError, match="push_key: expected a private key"):
        shop_key.of_shop(settings)


def test_what_it_signs_names_the_service_the_time_and_whom_to_ask(settings: Settings) -> None:
    key = shop_key.of_shop(settings)
    claims, named = vapid(key.authorization(ORIGIN, NOW_S))
    assert claims == {"aud": ORIGIN, "exp": NOW_S + GOOD_S, "sub": "https://pins.example"}
    assert named == key.public
    mailed = msgspec.structs.replace(settings, mail_from="shop@pins.example")
    claims, _ = vapid(shop_key.of_shop(mailed).authorization(ORIGIN, NOW_S))
    assert claims["sub"] == "mailto:shop@pins.example"


def test_many_signatures_are_all_of_one_length() -> None:
    key = ShopKey(shop_key.new().encode(), "mailto:shop@example.org")
    lengths = {len(key.authorization(ORIGIN, NOW_S + n)) for n in range(300)}
    assert len(lengths) == 1
