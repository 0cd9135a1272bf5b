"""Somebody who reads one language and acts by what texts mean, so that a story is the same one in each.

    olha = Teller.of(line, "Olha", "be")
    await olha.starts()                      # /start, and the language
    await olha.chooses("consent", "adult")   # once ask.consent stands: its button ask.consent.adult
    await olha.writes("name.child", words.name)

A step's question is named by its key without "ask."; what follows the dot is another wording of it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import Formatter
from typing import Any, Self

from flows.greeting import LANGUAGES
from locales import Texts
from rehearsal.driver import Person, Shown
from tests.line.kit import GREETING, Line
from tests.line.stories import Receipt


@dataclass(frozen=True)
class Words:
    """What the people of these stories say themselves, in one language. Everything and everybody is invented."""

    name: str
    called: str  # at home
    town: str  # there are two of that name
    port: str  # there is one
    house: str  # a place that no list has
    autumn: str  # of 2022
    school_year: str  # 2022 to 2023
    about_30: str
    happening: str
    told: str
    hide: str
    erase: str
    language: str  # asks for another


WORDS: Mapping[str, Words] = {
    "uk": Words(
        name="Олена Вигадана",
        called="Оленка",
        town="Олешки",
        port="Скадовськ",
        house="інтернат за вигаданою річкою",
        autumn="восени 2022",
        school_year="з вересня 2022 по травень 2023",
        about_30="близько 30",
        happening="на завтра замовили автобус, список висить у школі",
        told="казали, що на два тижні до моря",
        hide="сховати",
        erase="стерти",
        language="інша мова",
    ),
    "ru": Words(
        name="Олена Выгаданая",
        called="Оленка",
        town="Олешки",
        port="Скадовск",
        house="интернат за выдуманной рекой",
        autumn="осенью 2022",
        school_year="с сентября 2022 по май 2023",
        about_30="около 30",
        happening="на завтра заказали автобус, список висит в школе",
        told="говорили, что на две недели к морю",
        hide="скрыть",
        erase="стереть",
        language="другой язык",
    ),
    "be": Words(
        name="Алена Выдуманая",
        called="Аленка",
        town="Олешки",
        port="Скадоўск",
        house="інтэрнат за выдуманай ракой",
        autumn="увосень 2022",
        school_year="з верасня 2022 па май 2023",
        about_30="каля 30",
        happening="на заўтра замовілі аўтобус, спіс вісіць у школе",
        told="казалі, што на два тыдні да мора",
        hide="схаваць",
        erase="сцерці",
        language="іншая мова",
    ),
    "en": Words(
        name="Olena Vyhadana",
        called="Olenka",
        town="Oleshky",
        port="Skadovsk",
        house="a boarding school beyond the invented river",
        autumn="autumn 2022",
        school_year="from September 2022 to May 2023",
        about_30="about 30",
        happening="a bus is ordered for tomorrow, the list hangs at the school",
        told="they said it was for two weeks at the sea",
        hide="hide",
        erase="erase",
        language="other language",
    ),
}


class Teller:
    """One person at the chat. `acts` counts taps and messages, each photo one."""

    def __init__(self, person: Person, texts: Mapping[str, Texts], lang: str) -> None:
        self.person = person
        self.lang = lang
        self.acts = 0
        self._texts = texts

    @classmethod
    def of(cls, line: Line, name: str, lang: str) -> Self:
        return cls(line.person(name, lang), line.app.line.texts, lang)

    @property
    def words(self) -> Words:
        return WORDS[self.lang]

    # ---- acts ---------------------------------------------------------------------------------------

    async def starts(self) -> None:
        await self.sends("/start")
        await self.presses(LANGUAGES[self.lang])

    async def sends(self, text: str, **manner: Any) -> Shown:
        self.acts += 1
        return await self.person.sends(text, **manner)

    async def sends_photos(self, pictures: Sequence[bytes], caption: str = "") -> None:
        self.acts += len(pictures)
        await self.person.sends_album(pictures, caption)

    async def sends_voice(self) -> None:
        self.acts += 1
        await self.person.sends_voice()

    async def presses(self, label: str) -> None:
        """A button by its label."""
        self.acts += 1
        await self.person.taps(label)

    async def taps(self, key: str) -> None:
        """A button by its text's key."""
        await self.presses(self.button(key))

    async def picks(self, number: int) -> None:
        """One of the places that are offered, the first is 1."""
        card = await self.sees("which")
        await self.presses(card.labels()[number - 1])

    async def chooses(self, question: str, option: str) -> None:
        """Answers a question, once it stands, by one of its buttons; a digit is a label by itself."""
        await self.asked(question)
        step = question.partition(".")[0]
        await self.presses(option if option.isdigit() else self.button(f"ask.{step}.{option}"))

    async def writes(self, question: str, words: str) -> Shown:
        """Answers a question, once it stands, in words."""
        await self.asked(question)
        return await self.sends(words)

    async def leaves(self, question: str, how: str = "skip") -> None:
        """Passes over a question, once it stands: "skip" or "unknown"; "done" after files."""
        await self.asked(question)
        await self.taps(f"nav.{how}")

    async def hides(self) -> str:
        """Taps Hide, and reads the two words of the pop-up."""
        await self.taps("nav.hide")
        popup = await self.person.sees_popup(self.fragment("hide.popup"))
        await self.sees_the_greeting_alone()
        return self.read("hide.popup", popup)["resume"]

    # ---- looks --------------------------------------------------------------------------------------

    async def asked(self, question: str) -> Shown:
        return await self.sees(f"ask.{question}")

    async def sees(self, key: str) -> Shown:
        """Waits until the bot says this; without what is filled in."""
        return await self.person.sees(self.fragment(key))

    async def sees_the_greeting_alone(self) -> None:
        await self.person.sees(GREETING)
        (greeting,) = await self.person.sees_only(1)
        assert GREETING in greeting.text

    async def sees_receipt(self, key: str = "receipt") -> Receipt:
        """The code and the seven words, as they are set apart."""
        shown = await self.sees(key)
        parts = {
            entity["type"]: shown.text[entity["offset"] : entity["offset"] + entity["length"]]
            for entity in shown.raw["entities"]
        }
        return Receipt(parts["code"], parts["spoiler"])

    async def way_back(self) -> str:
        """The two words that an earlier card told."""
        begins = self.fragment("card.resume")
        told = [message.text for message in await self.person.everything_seen() if begins in message.text]
        return self.read("card.resume", told[-1])["resume"]

    # ---- texts --------------------------------------------------------------------------------------

    def button(self, key: str) -> str:
        return self._pattern(key)

    def fragment(self, key: str) -> str:
        """The beginning of a text, up to what is filled in, set apart or on the next line."""
        found = re.split(r"[{<\n]", self._pattern(key))[0]
        assert found.strip(), key
        return found

    def read(self, key: str, said: str) -> dict[str, str]:
        """What was filled into a text."""
        pieces = [
            re.escape(before) + (f"(?P<{name}>[^\n]+?)" if name else "")
            for before, name, _, _ in Formatter().parse(self._pattern(key))
        ]
        found = re.search("".join(pieces) + r"(?=\n|$)", said)
        assert found is not None, (key, said)
        return found.groupdict()

    def _pattern(self, key: str) -> str:
        return self._texts[self.lang]._pattern(key)


def answers_of(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The answers of a report that was opened, by step."""
    return {answer["step"]: answer for answer in report["answers"]["answers"]}


def told_later(report: dict[str, Any]) -> list[dict[str, Any]]:
    """The bodies that were added in words or taps; files that came on their own are none."""
    return [addition for addition in report["additions"] if "answers" in addition]


def all_files(report: dict[str, Any]) -> list[dict[str, Any]]:
    return report["files"] + [file for addition in report["additions"] for file in addition["files"]]
