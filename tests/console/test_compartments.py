"""What a child writes, and where a child is, are read by those who hold that compartment's key, and by nobody else."""

from collections.abc import Callable
from typing import Any

import psutil
import pytest

from admin.ceremony import CHILD, COMPARTMENTS, TEAM, WHEREABOUTS
from flows import forms
from flows.form import Form
from flows.told import label_key, option_key
from locales import offered
from tests.console.conftest import Person, Served, Team, addresses, picture

TOLD = "Мене привезли в санаторій"


def words(said: str = TOLD) -> list[dict[str, Any]]:
    return [{"step": "tell", "label": "ask.tell.label", "words": [said]}]


async def test_a_child_s_report_is_opened_by_the_safeguarding_member_only(
    team: Team, person: Callable[..., Any]
) -> None:
    report = await team.takes("child", answers=words())
    owl = await person("owl", "safeguarding", [CHILD])
    others = [await person("swift", "lead"), await person("wren", "safeguarding", [TEAM, WHEREABOUTS])]
    assert TOLD in (await owl.opens(f"/reports/{report}")).text
    for one in others:
        assert str(report) not in (await one.opens("/queue")).text
        there = await one.opens(f"/reports/{report}")
        nowhere = await one.opens("/reports/00000000-0000-4000-8000-000000000000")
        assert there.status == nowhere.status == 404
        assert there.data == nowhere.data
        for act in ("claim", "release", "take-over", "shred", "answer"):
            page = await one.posts(f"/reports/{report}/{act}", text=TOLD, seen="0", do="send")
            assert page.status in (403, 404), act
            assert TOLD not in page.text


async def test_a_lead_without_the_key_cannot_open_it_with_the_database_s_help(
    team: Team, person: Callable[..., Any], superuser: Any
) -> None:
    """Whoever turns the report's row to another compartment turns no key."""
    report = await team.takes("child", answers=words())
    swift = await person("swift", "lead")
    await superuser.execute("UPDATE reports SET compartment = 'team' WHERE id = $1", report)
    page = await swift.opens(f"/reports/{report}")
    assert page.status == 409
    assert "None of your keys opens this" in page.text
    assert TOLD not in page.text


async def test_where_a_child_is_is_apart_from_the_team(team: Team, person: Callable[..., Any]) -> None:
    told, apart = await team.takes("witness", answers=words()), await team.takes("with_me", answers=words())
    swift, owl = await person("swift"), await person("owl", "analyst", [WHEREABOUTS])
    seen = [
        (await one.opens(f"/reports/{report}")).status for one in (swift, owl) for report in (told, apart)
    ]
    assert seen == [200, 404, 404, 200]


async def test_one_who_holds_all_works_in_all_and_each_has_a_process_of_its_own(
    served: Served, team: Team, person: Callable[..., Any]
) -> None:
    reports = [await team.takes(form, answers=words()) for form in ("family", "child", "with_me")]
    heron = await person("heron", "lead", COMPARTMENTS)
    queue = (await heron.opens("/queue")).text
    for shown in ("team · ", "written by children", "where a child is"):
        assert shown in queue.split("Your compartments:")[1].split("</p>")[0]
    for report in reports:
        assert TOLD in (await heron.posts(f"/reports/{report}/claim")).text
        page = await heron.posts(f"/reports/{report}/answer", text="Дякуємо", seen="0", do="send")
        assert "Answer from heron" in page.text
    pids = served.console.children.pids()
    assert set(pids) == set(COMPARTMENTS)
    assert len(set(pids.values())) == len(COMPARTMENTS)
    await heron.posts("/sign-out")
    assert served.console.children.pids() == {}
    assert not any(psutil.pid_exists(pid) for pid in pids.values())


async def test_a_file_that_came_before_the_compartment_was_known_opens_for_who_holds_both(
    team: Team, person: Callable[..., Any]
) -> None:
    report = await team.takes("with_me", files=[await team.file(picture(), compartment=TEAM)])
    heron = await person("heron", "lead", COMPARTMENTS)
    (address,) = addresses((await heron.opens(f"/reports/{report}")).text)
    assert (await heron.opens(address)).data == picture()
    owl = await person("owl", "analyst", [WHEREABOUTS])
    refused: Person = owl
    page = await refused.opens(address)
    assert page.status == 409
    assert "None of your keys opens this" in page.text


def every_answer(form: Form) -> list[dict[str, Any]]:
    """What a body may hold of each step: each of its buttons, and each way to say nothing."""
    told = [step for step in form.all_steps() if step.told]
    chosen = [
        {"step": step.key, "label": label_key(form, step.key), "option": option.key,
         "option_label": None if option.literal else option_key(step.key, option.key)}
        for step in told for option in step.options
    ]  # fmt: skip
    skipped = [
        {"step": step.key, "label": label_key(form, step.key), "skipped": how}
        for step in told
        for how in ("skip", "unknown")
    ]
    return chosen + skipped


@pytest.mark.parametrize("form", forms.every(), ids=lambda form: f"{form.name}-{form.version}")
async def test_every_form_s_rows_are_read_in_every_language_of_the_desk(
    form: Form, team: Team, person: Callable[..., Any]
) -> None:
    answers = every_answer(form)
    claims = [
        {"step": "x", "label": "label.other", "words": ["?"], key: True} for key in ("forwarded", "claim")
    ]
    sharing = dict.fromkeys(form.sharing, "ask")
    report = await team.takes(form.name, answers=answers, beside=claims, sharing=sharing)
    heron = await person("heron", "lead", COMPARTMENTS)
    for lang in offered("console"):
        await heron.posts("/language", lang=lang, back="/queue")
        page = await heron.opens(f"/reports/{report}")
        assert page.status == 200
        assert f'<html lang="{lang}">' in page.text
        assert page.text.count('<th scope="row">') == len(answers) + len(claims)
        assert "ask." not in page.text
