"""The address of SQL: what it may say, and that nobody reads a password in what is shown."""

from __future__ import annotations

import pytest

from dropengine.config import load, show
from dropengine.errors import ConfigError

GOOD = [
    "postgresql://books/shop",
    "postgres://maker:p%40ss%2Fword@books:5433/shop",
    "postgresql://[::1]:5432/shop",
    "postgresql:///shop?host=/run/postgresql",
    "postgresql://maker@/shop?host=/run/postgresql",
    "postgresql://books/shop?sslmode=verify-full&sslrootcert=/etc/ca.pem",
]
BAD = [
    "",
    "books",
    "sqlite:///shop.sqlite",
    "mysql://books/shop",
    "postgresql://books",
    "postgresql://books/",
    "postgresql:///shop",
    "postgresql://books:0/shop",
    "postgresql://books:port/shop",
    "postgresql://books/shop/more",
    "postgresql://books/shop?sslmode=perhaps",
    "postgresql://books/shop?sslmode=require&sslmode=disable",
    "postgresql://books/shop?sslmode=require&sslmode=require",
    "postgresql:///shop?host=/run/a&host=/run/b",
    "postgresql://books/shop?sslmode=require&ssl%6dode=disable",
    "postgresql://books/shop?options=-c%20x",
    "postgresql://[::1/shop",
    " postgresql://books/shop",
    "postgresql://the..books/shop",
    "postgresql:///shop?host=the..books",
    "postgresql://maker:qq%00shed@books:5433/shop",
    "postgresql://ma%00ker@books:5433/shop",
    "postgresql://books:5433/sh%00op",
    "postgresql:///shop?host=/run%00/postgresql",
]
SPLIT_PASSWORDS = [
    "postgresql://maker:qq/shed@books/shop",
    "postgresql://maker:qq#shed@books/shop",
    "postgresql://maker:qq?shed@books/shop",
    "postgresql://books/shop?password=qqshed",
    "postgresql://books/qqshed@books",
]


@pytest.mark.parametrize("address", GOOD)
def test_an_address_of_postgresql_is_taken(address: str) -> None:
    assert load({"database_url": address}, {}, None)[0].database_url == address


@pytest.mark.parametrize("address", [*BAD, *SPLIT_PASSWORDS])
def test_another_is_refused_in_a_sentence_that_repeats_nothing_of_it(address: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load({"database_url": address}, {}, None)
    (mistake,) = caught.value.mistakes
    assert mistake.startswith("--database-url: database_url: ")
    assert "qq" not in mistake
    assert "shed" not in mistake


def test_who_asks_and_by_what_password_is_not_shown() -> None:
    settings, origins = load({"database_url": "postgresql://maker:word@books/shop"}, {}, None)
    shown = show(settings, origins)
    assert "database_url = postgresql://(hidden)@books/shop  # --database-url\n" in shown
    assert "maker" not in shown
    assert "word" not in shown.replace("passwords", "")
