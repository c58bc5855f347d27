"""Where a maker is paid: those who manage it say so, and nobody else sees it."""

from __future__ import annotations

from tests.doors.studio.test_night import told
from tests.kit import studio as studio_kit
from tests.kit import web_process
from tests.kit.studio import Studio
from tests.kit.web_process import key

server = web_process.server
studio = studio_kit.studio

IBAN = "DE89 3704 0044 0532 0130 00"


async def test_an_account_is_kept_and_a_wrong_one_is_not(studio: Studio) -> None:
    path = f"/studio/makers/{studio.lamps.id}/bank"
    async with studio.person("ada") as ada, studio.person("ben") as ben:
        wrong = {"key": key(), "name": "Lamps", "iban": IBAN.replace("89", "88", 1), "bic": ""}
        answer = await ada.http.post(path, data=wrong)
        assert answer.status_code == 400
        assert "This is no IBAN" in told(answer)
        answer = await ada.http.post(path, data=wrong | {"key": key(), "iban": IBAN})
        assert answer.status_code == 303
        assert IBAN in (await ada.http.get(path)).text
        assert (await ben.http.get(path)).status_code == 403
        answer = await ada.http.post(path, data={"key": key(), "name": "", "iban": "", "bic": ""})
        assert answer.status_code == 303
        assert IBAN not in (await ada.http.get(path)).text
