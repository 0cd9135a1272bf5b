"""The chat page in each language, at the width of an old phone: the first question, two places of one name, the review,
the receipt. Nothing is cut off, and the guide's pictures are taken on the way.
"""

from pathlib import Path

from playwright.async_api import Browser, Page

from flows import Text
from flows.greeting import LANGUAGES
from locales import Texts, offered
from rehearsal.driver import Driver
from tests.line.telling import WORDS
from tests.story.kit import Chat, demonstration, free_ports
from tests.story.pictures import Pictures

PEOPLE = {"uk": "Ольга", "ru": "Анна", "be": "Алеся", "en": "Olha"}
WIDTH, HEIGHT = 360, 940  # so high that the review stands whole
# Elements whose words need more room than they have.
CUT = """() => [...document.querySelectorAll('[role=log], [role=log] *')]
    .filter(one => one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).display !== 'inline')
    .map(one => one.outerHTML.slice(0, 120))"""


async def test_a_conversation_fits_a_phone_in_each_language(tmp_path: Path, browser: Browser) -> None:
    pictures = Pictures(tmp_path / "pictures")
    async with (
        demonstration(tmp_path / "state", *free_ports()) as made,
        Driver(made.chat.rstrip("/")) as driver,
    ):
        for lang in offered("bot"):
            number = await driver.person(PEOPLE[lang], language=lang).id()
            context = await browser.new_context(viewport={"width": WIDTH, "height": HEIGHT}, locale="en-GB")
            page = await context.new_page()
            await page.goto(f"{made.chat}#{number}")
            await tells(Chat(page), lang, pictures)
            await pictures.keeps_the_strip(f"interview-{lang}")
            await context.close()


async def tells(chat: Chat, lang: str, pictures: Pictures) -> None:
    texts, words = Texts.load(lang, domains=("forms", "bot")), WORDS[lang]

    def said(key: str) -> str:
        return texts.plain(Text(key))

    async def chooses(question: str, option: str) -> None:
        await chat.sees(said(f"ask.{question}"))
        await chat.taps(said(f"ask.{question.partition('.')[0]}.{option}"))

    await chat.page.get_by_role("button", name="Start", exact=True).click()
    await chat.taps(LANGUAGES[lang])
    await chat.sees(said("ask.consent"))
    await looks(chat.page, pictures)
    await chooses("consent", "adult")
    await chooses("know", "family")
    await chooses("where", "unknown")
    await chat.sees(said("ask.name.child"))
    await chat.writes(words.name)
    await chat.sees(said("ask.age"))
    await chat.taps("8")
    await chooses("sex", "girl")
    await chat.sees(said("ask.place"))
    await chat.writes(words.town)
    await chat.sees(said("which"))
    await looks(chat.page, pictures)
    await chat.page.get_by_role("log").get_by_role("button").first.click()
    await chat.sees(said("ask.when"))
    await chat.writes(words.autumn)
    await chat.sees(said("ask.photo.child"))
    await chat.taps(said("nav.skip"))
    await chooses("find", "yes")
    await chooses("courts", "un_icc")
    await chooses("answer", "chat")
    await chooses("push", "kyiv")
    await chat.sees(said("ask.review"))
    await looks(chat.page, pictures)
    await chat.taps(said("nav.send"))
    await chat.sees(said("ask.more"))
    log = chat.page.get_by_role("log")
    await log.evaluate("log => log.scrollTo(0, 0)")  # up to the receipt
    await looks(chat.page, pictures)
    await log.evaluate("log => log.scrollTo(0, log.scrollHeight)")  # and down to what may be added
    await looks(chat.page, pictures)


async def looks(page: Page, pictures: Pictures) -> None:
    assert await page.evaluate(CUT) == []
    await pictures.remembers(page, "main.phone")
