"""The steps that many stories share, as a person does them."""

import io
import re
from dataclasses import dataclass

from PIL import Image

from rehearsal.driver import Person


@dataclass(frozen=True)
class Receipt:
    code: str
    words: str


def picture(colour: str, size: tuple[int, int] = (640, 480)) -> bytes:
    """A small JPEG of one colour."""
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, "JPEG")
    return buffer.getvalue()


async def begins(person: Person) -> None:
    """From nothing to the first question."""
    await person.sends("/start")
    await person.taps("English")
    await person.taps("Yes, let us begin. I am 18 or older")
    await person.sees("How do you know about the child?")


async def tells_the_core(person: Person, *, name: str = "Olena Vyhadana") -> None:
    """The required questions, up to the photos."""
    await person.taps("My family, or in my care")
    await person.taps("I do not know where")
    await person.sees("What is the child’s name?")
    await person.sends(name)
    await person.sees("How old was the child")
    await person.taps("8")
    await person.taps("Girl")
    await person.sees("Where was the child taken from?")
    await person.sends("a boarding school beyond the river")
    await person.sees("When was the child taken?")
    await person.sends("autumn 2022")
    await person.sees("send as many as you have")


async def shares(person: Person, *, answer: str = "Yes, only I see this phone") -> None:
    """The sharing rows and the answer row, up to the review."""
    await person.taps("Yes")
    await person.taps("Only the UN and the ICC")
    await person.taps(answer)
    await person.taps("I have read this" if answer.startswith("No") else "No, I will look myself")
    await person.sees("This is your message.")


async def sends_it(person: Person) -> Receipt:
    await person.taps("Send")
    receipt = await sees_receipt(person)
    await person.sees("not an official search request")
    return receipt


async def sees_receipt(person: Person) -> Receipt:
    shown = await person.sees("Thank you.")
    found = re.search(r"Code: (\S+)", shown.text)
    assert found is not None
    words = re.search(r"come back: (.*?)\. ", shown.text)
    assert words is not None
    return Receipt(found[1], words[1])
