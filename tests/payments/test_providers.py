"""The table of providers: what is built of it, and under which names."""

from __future__ import annotations

from pathlib import Path

import pytest

from dropengine import errors
from dropengine.config import Settings
from dropengine.doors.http_answers import problem
from dropengine.payments import providers
from dropengine.payments.configured import Configured
from dropengine.payments.local.provider import own_url
from dropengine.sql.database import Database
from tests.kit.local_provider import SECRET, an_intent
from tests.test_floors import PACKAGE_FOLDER, imports, modules


def build(settings: Settings) -> Configured:
    """Nothing is opened by that: a provider asks SQL when it is asked."""
    return providers.build(settings, SECRET, Database(settings))


def test_only_the_table_knows_a_provider_by_its_folder() -> None:
    package = modules(PACKAGE_FOLDER)
    folders = {
        name for name in package if name.startswith("payments.") and f"{name}.provider" in package
    }
    assert folders == {f"payments.{name}" for name in providers.BUILDERS}
    known = {
        module
        for module, text in package.items()
        for _, target in imports(module, text, package)
        for folder in folders
        if f"{target}.".startswith(f"{folder}.") and not f"{module}.".startswith(f"{folder}.")
    }
    assert known == {"payments.providers"}


async def test_every_provider_is_built_under_its_own_name(tmp_path: Path) -> None:
    settings = Settings(
        data_dir=tmp_path, stripe_key="sk_test_x", stripe_webhook_secrets=("whsec_x",)
    )
    built = build(settings).built
    assert built.keys() == providers.BUILDERS.keys()
    assert all(provider.name == name for name, provider in built.items())
    for provider in built.values():
        await provider.close()


async def test_the_doors_of_a_provider_bear_its_name(tmp_path: Path) -> None:
    for name, provider in build(Settings(data_dir=tmp_path)).built.items():
        routes = provider.routes({}, problem)
        assert all(route.path.startswith(f"/pay/{name}/") for route in routes)
        await provider.close()


async def test_the_local_provider_keeps_its_book_in_the_data_directory(tmp_path: Path) -> None:
    local = build(Settings(data_dir=tmp_path)).of("")
    assert local is not None
    await local.begin(an_intent())
    assert (tmp_path / "localpay.sqlite").exists()
    await local.close()


def test_a_provider_that_the_settings_do_not_speak_of_is_not_there(tmp_path: Path) -> None:
    assert build(Settings(data_dir=tmp_path)).built.keys() == {"local", "by_hand"}


def test_a_default_that_is_not_set_up_is_a_mistake_in_the_settings(tmp_path: Path) -> None:
    with pytest.raises(errors.ConfigError, match="pay_provider"):
        build(Settings(data_dir=tmp_path, pay_provider="nobody"))


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8123"),
        ("0.0.0.0", "http://127.0.0.1:8123"),  # noqa: S104 -- compared, not bound
        ("::", "http://[::1]:8123"),
        ("::1", "http://[::1]:8123"),
        ("drops.example", "http://drops.example:8123"),
    ],
)
def test_webhooks_of_the_local_provider_go_to_this_machine(host: str, url: str) -> None:
    assert own_url(Settings(host=host, port=8123)) == url
