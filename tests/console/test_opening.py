"""An analyst signs in, sees the queue, opens a report, looks at a picture, downloads the original."""

import hashlib
from base64 import b64encode
from collections.abc import Callable
from typing import Any

from tests.console.conftest import NAME, WORDS, Served, Team, addresses, picture


async def test_an_analyst_opens_a_report(team: Team, served: Served, person: Callable[..., Any]) -> None:
    photo = picture()
    report = await team.takes_report(await team.file(photo), urgency="high")
    swift = await person("swift")
    queue = await swift.opens("/queue")
    assert f"/reports/{report}" in queue.text
    assert NAME not in queue.text

    page = await swift.opens(f"/reports/{report}")
    assert page.status == 200, page.text
    for shown in (
        NAME,
        WORDS,
        "about eight",
        "Please help us",
        hashlib.sha256(photo).hexdigest(),
        "from mother.jpg",
    ):
        assert shown in page.text

    (original,) = addresses(page.text)
    file = await swift.opens(original)
    assert file.status == 200
    assert file.data == photo
    assert file.headers["content-type"] == "application/octet-stream"
    digest = b64encode(hashlib.sha256(photo).digest()).decode()
    assert file.headers["repr-digest"] == f"sha-256=:{digest}:"
    assert file.headers["content-disposition"] == (
        "attachment; filename=\"from mother.jpg\"; filename*=UTF-8''from%20mother.jpg"
    )
