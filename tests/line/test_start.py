"""How the bot starts and stops: what is wrong is told in a sentence, and never with what somebody told."""

import pytest
from pydantic import SecretStr

from bot import __main__ as program
from bot import settings as bot_settings
from storage.database import connect


async def _fails(error: Exception) -> int:
    raise error


async def test_what_was_not_foreseen_is_told_by_type_and_place(capsys: pytest.CaptureFixture[str]) -> None:
    error = ExceptionGroup("Olenka", [RuntimeError("Olenka"), ExceptionGroup("", [KeyError("1:DEMO-token")])])
    assert await program._told(_fails(error)) == 1
    said = capsys.readouterr().err
    assert "RuntimeError" in said
    assert "KeyError" in said
    assert "Olenka" not in said
    assert "1:DEMO" not in said


async def test_where_it_failed_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert await program._told(_fails(ValueError("Olenka"))) == 1
    said = capsys.readouterr().err
    assert f"{__file__}:" in said
    assert "_fails" in said


async def test_a_database_that_is_not_there_is_told_in_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    async def reaches() -> int:
        await connect("postgresql://nobody@127.0.0.1:1/none")
        return 0

    assert await program._told(reaches()) == 1
    assert "cannot reach its database" in capsys.readouterr().err


def test_the_place_of_files_may_be_s3(settings: bot_settings.BotSettings) -> None:
    own = settings.model_copy(
        update={"s3_endpoint": "https://s3.example.org", "s3_secret_access_key": SecretStr("hidden")}
    )
    assert settings.s3() == {}
    assert own.s3() == {"endpoint": "https://s3.example.org", "secret_access_key": "hidden"}
    assert "hidden" not in repr(own)
