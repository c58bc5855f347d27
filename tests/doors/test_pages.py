"""What the server writes into a page: nothing that could run."""

from __future__ import annotations

import json

import jinja2
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropengine.doors import pages


@given(st.text())
def test_no_text_can_end_the_block_that_carries_it(text: str) -> None:
    block = str(pages.data_block(msgspec.json.encode([text])))
    assert not set(block) & set("<>&\u2028\u2029")
    assert json.loads(block) == [text]


def test_a_template_fails_on_a_name_that_nobody_gave_it() -> None:
    with pytest.raises(jinja2.UndefinedError):
        pages.environment().get_template("error.html").render(static=str)


def test_over_https_a_page_keeps_to_https() -> None:
    assert "Strict-Transport-Security" in pages.page_headers(secure=True)
    assert "Strict-Transport-Security" not in pages.page_headers(secure=False)
