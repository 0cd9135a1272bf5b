"""What the bot says of itself, in each language; and the texts that an organisation sets for itself."""

from typing import Any

import pytest
from aiogram import Bot
from structlog.testing import capture_logs

from bot import introduction
from bot import settings as bot_settings
from bot.telegram import connect
from flows import Text
from locales import Texts, offered
from rehearsal.server import Rehearsal
from tests.line.kit import TOKEN, Line, Team, running, until


def texts(**values: str) -> dict[str, Texts]:
    return {lang: Texts.load(lang, domains=("forms", "bot"), values=values) for lang in offered("bot")}


async def set_calls(rehearsal: Rehearsal) -> list[str]:
    return [call["method"] for call in await rehearsal.driver.calls() if call["method"].startswith("setMy")]


async def test_each_language_has_the_notice_and_the_commands(rehearsal: Rehearsal) -> None:
    bot = connect(TOKEN, rehearsal.url)
    try:
        await introduction.introduce(bot, texts())
        for code, lang in (("uk", "uk"), ("en", "en"), ("fr", "en"), (None, "en")):
            said = texts()[lang]
            notice = (await bot.get_my_description(language_code=code)).description
            assert notice == said.plain(Text("description"))
        commands = await bot.get_my_commands(language_code="uk")
        assert [command.command for command in commands] == ["start", "hide", "erase", "help", "language"]
        assert commands[1].description == "Сховати все з чату"
    finally:
        await bot.session.close()


async def test_only_what_changed_is_set_again(rehearsal: Rehearsal) -> None:
    bot = connect(TOKEN, rehearsal.url)
    try:
        await introduction.introduce(bot, texts())
        first = await set_calls(rehearsal)
        await introduction.introduce(bot, texts())
        assert await set_calls(rehearsal) == first
        await introduction.introduce(bot, texts(team="Another team"))
        assert (await set_calls(rehearsal))[len(first) :] == ["setMyDescription"] * len(
            offered("bot")
        )  # English stands for all others
    finally:
        await bot.session.close()


async def test_a_refusal_is_told_by_its_type_alone(rehearsal: Rehearsal) -> None:
    bot = Bot("1:not-known-there", session=connect(TOKEN, rehearsal.url).session)
    try:
        with capture_logs() as logs:
            await introduction.introduce(bot, texts())
    finally:
        await bot.session.close()
    assert logs == [
        {"event": "introduction_failed", "error": "TelegramUnauthorizedError", "log_level": "warning"}
    ]


async def test_the_bot_introduces_itself_at_its_start(line: Line, rehearsal: Rehearsal) -> None:
    async def introduced() -> bool:
        return (await set_calls(rehearsal)).count("setMyCommands") == 1 + len(line.app.line.texts)

    await until(introduced)


# ---- texts of the organisation ------------------------------------------------------------------------


async def test_helplines_are_the_organisation_s_own(
    settings: bot_settings.BotSettings, team: Team, rehearsal: Rehearsal
) -> None:
    own = settings.model_copy(update={"helplines": {"en": "a kind ear, 5550"}})
    async with running(own) as app:
        petro = Line(rehearsal, app, team, own).person("Petro")
        await petro.sends("/start")
        await petro.taps("English")
        await petro.taps("I am under 18")
        await petro.sees("These people help children and teenagers: a kind ear, 5550.")


def load(settings: bot_settings.BotSettings, **values: Any) -> bot_settings.BotSettings:
    kept = {name: getattr(settings, name) for name in ("bot_token", "ceremony_key", "state")}
    return bot_settings.load(**{**kept, **values})


def test_a_text_is_for_all_languages_or_for_each(
    settings: bot_settings.BotSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DODOMU_HELPLINES", "5550")
    monkeypatch.setenv("DODOMU_OFFICIAL", '{"uk": "поліція"}')
    own = load(settings)
    assert own.values("uk")["helplines"] == own.values("en")["helplines"] == "5550"
    assert own.values("uk")["official"] == "поліція"
    assert "official" not in own.values("en")
    assert "DODOMU_HELPLINES" not in own.unconfirmed
    assert "DODOMU_EMERGENCY" in own.unconfirmed


@pytest.mark.parametrize("wrong", ['{"uk": ', '{"fr": "aide"}', '{"uk": ""}', "two\nlines", "x" * 201])
def test_a_text_that_cannot_stand_is_named(settings: bot_settings.BotSettings, wrong: str) -> None:
    with pytest.raises(bot_settings.SettingsError, match="DODOMU_HELPLINES") as told:
        load(settings, helplines=wrong)
    assert "who helps children and teenagers" in str(told.value)
