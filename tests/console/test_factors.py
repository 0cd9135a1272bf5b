"""Second factors: no way in without one, each answer good once, and a row that the member did not make is refused."""

import asyncio
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from admin.console.challenges import LASTS, Challenges, Taken
from admin.console.factors import CODE_DIGITS, CODES, plain_code, plain_name
from admin.console.webauthn_site import Site
from seal import parse_recipient
from storage import factors, roles
from storage.bodies import seal_body
from storage.factors import Factor
from tests.console.authenticator import SecurityKey
from tests.console.conftest import Clock, Page, Person, Served, Team, rows

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
LABEL = "the blue one on my keyring"


async def adds(someone: Person, key: SecurityKey, name: str = LABEL) -> Page:
    options = json.loads((await someone.opens("/factors/key")).text)
    return await someone.posts("/factors/key", credential=key.creates(options), name=name)


async def asks(someone: Person, key: SecurityKey) -> str:
    """What the key answers to a fresh challenge."""
    return key.gets(json.loads((await someone.opens("/sign-in/key")).text))


async def comes_in_with(someone: Person, assertion: str) -> Page:
    return await someone.signs_in(code="", assertion=assertion)


async def makes_codes(someone: Person) -> list[str]:
    page = await someone.posts("/factors/codes")
    assert page.status == 200
    return re.findall(r"<li><code>([0-9-]+)</code></li>", page.text)


async def told(someone: Person) -> list[dict[str, Any]]:
    """What the log tells of a member, oldest first."""
    assert someone.added is not None
    found = await rows(
        someone.served.database.url(roles.CONSOLE), "SELECT leaf FROM custody_leaves ORDER BY id"
    )
    leaves = [json.loads(row["leaf"]) for row in found]
    return [leaf for leaf in leaves if leaf["object"] == str(someone.added.member.id)]


async def refusals(someone: Person) -> list[str]:
    return [leaf["what"] for leaf in await told(someone) if leaf["kind"] == "refused"]


# ---- what is on record ------------------------------------------------------------------------------


async def test_what_was_wrong_is_on_record_and_is_not_said(
    served: Served, person: Callable[..., Any]
) -> None:
    swift = await person("swift", signed_in=False)
    code = swift.code()
    assert (await swift.signs_in(code=code)).path == "/queue"
    await swift.posts("/sign-out")
    wrong: list[dict[str, str]] = [
        {"passphrase": "entirely-other-words"},
        {"code": "12"},
        {"code": code},
        {"code": "0" * CODE_DIGITS},
        {"code": "", "assertion": "{}"},
        {"code": "", "assertion": "[" * 10_000},
        {"code": ""},
    ]
    pages = [await swift.signs_in(**given) for given in wrong]
    assert {page.status for page in pages} == {401}
    assert len({page.text for page in pages}) == 1
    assert await refusals(swift) == [
        "passphrase", "code", "code used before", "recovery code", "security key", "security key", "code",
    ]  # fmt: skip


async def test_a_call_sign_that_nobody_has_leaves_nothing_on_record(
    served: Served, person: Callable[..., Any]
) -> None:
    swift = await person("swift", signed_in=False)
    before = await rows(served.database.url(roles.CONSOLE), "SELECT 1 FROM custody_leaves")
    assert (await swift.signs_in(call_sign="nobody-here")).status == 401
    assert await rows(served.database.url(roles.CONSOLE), "SELECT 1 FROM custody_leaves") == before


async def test_a_changed_row_of_a_member_is_on_record(
    superuser: asyncpg.Connection, person: Callable[..., Any]
) -> None:
    swift, owl = await person("swift", signed_in=False), await person("owl", signed_in=False)
    await superuser.execute("UPDATE members SET role = 'lead' WHERE call_sign = 'swift'")
    await superuser.execute(
        "UPDATE members SET totp = (SELECT totp FROM members WHERE call_sign = 'swift')"
        " WHERE call_sign = 'owl'"
    )
    assert [(await one.signs_in()).status for one in (swift, owl)] == [401, 401]
    assert await refusals(swift) == await refusals(owl) == ["changed member row"]


async def test_signing_in_tells_with_which_factor(served: Served, person: Callable[..., Any]) -> None:
    swift = await person("swift")
    key = SecurityKey()
    assert (await adds(swift, key)).path == "/factors"
    codes = await makes_codes(swift)
    await swift.posts("/sign-out")
    assert (await comes_in_with(swift, await asks(swift, key))).path == "/queue"
    await swift.posts("/sign-out")
    assert (await swift.signs_in(code=codes[3])).path == "/queue"
    leaves = [leaf for leaf in await told(swift) if leaf["kind"] == "signed in"]
    assert [leaf["factor"] for leaf in leaves] == ["authenticator app", "security key", "recovery code"]
    assert [leaf["factor"] for leaf in await told(swift) if leaf["kind"] == "second factor added"] == [
        "security key",
        "recovery codes",
    ]
    assert LABEL not in json.dumps(await told(swift))


# ---- security keys ----------------------------------------------------------------------------------


async def test_an_answer_of_a_key_is_good_once(served: Served, person: Callable[..., Any]) -> None:
    swift, key = await person("swift"), SecurityKey()
    await adds(swift, key)
    answer = await asks(swift, key)
    assert (await comes_in_with(swift, answer)).path == "/queue"
    assert (await comes_in_with(swift, answer)).status == 401
    assert await refusals(swift) == ["answer of a security key used before"]


async def test_an_old_challenge_is_none(served: Served, person: Callable[..., Any]) -> None:
    swift, key = await person("swift"), SecurityKey()
    await adds(swift, key)
    answer = await asks(swift, key)
    served.clock.moves(seconds=LASTS.total_seconds() + 1)
    assert (await comes_in_with(swift, answer)).status == 401
    assert await refusals(swift) == ["security key"]


async def test_a_copy_of_a_key_is_refused_and_the_key_goes_on(
    served: Served, person: Callable[..., Any]
) -> None:
    swift, key = await person("swift"), SecurityKey()
    await adds(swift, key)
    copy = SecurityKey(counter=key.counter, credential=key.credential, secret=key.secret)
    for _ in range(3):
        assert (await comes_in_with(swift, await asks(swift, key))).path == "/queue"
    assert (await comes_in_with(swift, await asks(swift, copy))).status == 401
    assert await refusals(swift) == ["copied security key"]
    assert (await comes_in_with(swift, await asks(swift, key))).path == "/queue"


async def test_a_key_that_does_not_count_works_again_and_again(person: Callable[..., Any]) -> None:
    swift, key = await person("swift"), SecurityKey(counts=False)
    await adds(swift, key)
    for _ in range(3):
        assert (await comes_in_with(swift, await asks(swift, key))).path == "/queue"


@pytest.mark.parametrize(
    "changed",
    [
        {"origin": "http://localhost:9999"},
        {"name": "elsewhere.example"},
        {"secret": SecurityKey().secret},
        {"credential": bytes(16)},
        {"touched": False},
    ],
    ids=lambda changed: next(iter(changed)),
)
async def test_another_site_another_key_or_nobody_s_touch_is_refused(
    changed: dict[str, Any], person: Callable[..., Any]
) -> None:
    swift, key = await person("swift"), SecurityKey()
    await adds(swift, key)
    for name, value in changed.items():
        setattr(key, name, value)
    assert (await comes_in_with(swift, await asks(swift, key))).status == 401
    assert await refusals(swift) == ["security key"]


async def test_a_key_alone_lets_nobody_in(person: Callable[..., Any]) -> None:
    swift, owl, key = await person("swift"), await person("owl"), SecurityKey()
    await adds(swift, key)
    assert (await swift.signs_in(passphrase="", code="", assertion=await asks(swift, key))).status == 401
    assert (await comes_in_with(owl, await asks(owl, key))).status == 401


async def test_a_key_is_added_in_the_session_that_asked_and_once(person: Callable[..., Any]) -> None:
    swift, owl, key = await person("swift"), await person("owl"), SecurityKey()
    options = json.loads((await swift.opens("/factors/key")).text)
    answer = key.creates(options)
    assert (await owl.posts("/factors/key", credential=answer)).status == 400
    assert (await swift.posts("/factors/key", credential=answer)).status == 200
    assert (await swift.posts("/factors/key", credential=answer)).status == 400
    assert (await adds(swift, key)).status == 409
    assert (await swift.posts("/factors/key", credential="")).status == 400
    again = json.loads((await swift.opens("/factors/key")).text)
    assert len(again["excludeCredentials"]) == 1
    assert again["authenticatorSelection"]["residentKey"] == "required"


async def test_a_removed_key_lets_nobody_in_and_only_its_member_removes_it(
    served: Served, person: Callable[..., Any]
) -> None:
    swift, owl, key = await person("swift"), await person("owl"), SecurityKey()
    await adds(swift, key)
    shown = await swift.opens("/factors")
    assert LABEL in shown.text
    assert LABEL not in (await owl.opens("/factors")).text
    (factor,) = re.findall(r'name="factor" value="([0-9a-f-]+)"', shown.text)
    await owl.posts("/factors/remove", factor=factor)
    assert LABEL in (await swift.opens("/factors")).text
    assert LABEL not in (await swift.posts("/factors/remove", factor=factor)).text
    assert (await comes_in_with(swift, await asks(swift, key))).status == 401
    assert [leaf["kind"] for leaf in await told(swift)][-2:] == ["second factor removed", "refused"]
    served.clock.moves(seconds=31)
    assert (await swift.signs_in()).path == "/queue"


async def test_the_member_s_other_sessions_know_of_what_changed(
    served: Served, person: Callable[..., Any]
) -> None:
    swift, key = await person("swift"), SecurityKey()
    there = Person(served, swift.added)
    try:
        served.clock.moves(seconds=31)
        assert (await there.signs_in()).path == "/queue"
        await adds(there, key)
        page = (await swift.opens("/factors")).text
        assert LABEL in page
        (factor,) = re.findall(r'name="factor" value="([0-9a-f-]+)"', page)
        await swift.posts("/factors/remove", factor=factor)
        assert LABEL not in (await there.opens("/factors")).text
    finally:
        await there.http.close()


async def test_names_and_keys_are_sealed(served: Served, person: Callable[..., Any]) -> None:
    swift, key = await person("swift"), SecurityKey()
    await adds(swift, key)
    (row,) = await rows(served.database.url(roles.CONSOLE), "SELECT * FROM factors")
    assert row["sealed"].startswith(b"age-encryption.org/v1\n")
    assert not {LABEL.encode(), key.credential, key.credential.hex().encode()} & set(row.values())
    assert LABEL.encode() not in row["sealed"]


# ---- rows that were changed -------------------------------------------------------------------------


async def test_a_row_moved_to_another_member_is_refused(
    superuser: asyncpg.Connection, served: Served, person: Callable[..., Any]
) -> None:
    swift, owl, key = await person("swift"), await person("owl", signed_in=False), SecurityKey()
    await adds(swift, key)
    await superuser.execute("UPDATE factors SET member = $1", owl.added.member.id)
    assert (await comes_in_with(owl, await asks(owl, key))).status == 401
    assert await refusals(owl) == ["changed factor row", "security key"]
    assert (await owl.signs_in()).path == "/queue"


async def test_a_body_moved_to_another_row_is_refused(
    superuser: asyncpg.Connection, served: Served, person: Callable[..., Any]
) -> None:
    """Else a removed key could be had back."""
    swift, old, new = await person("swift"), SecurityKey(), SecurityKey()
    await adds(swift, old)
    await adds(swift, new)
    first, second = await superuser.fetch("SELECT id, sealed FROM factors ORDER BY counter, id")
    await superuser.execute("UPDATE factors SET sealed = $2 WHERE id = $1", first["id"], second["sealed"])
    await swift.posts("/sign-out")
    pages = [await comes_in_with(swift, await asks(swift, key)) for key in (old, new)]
    assert sorted(page.status for page in pages) == [200, 401]
    assert (await refusals(swift)).count("changed factor row") == 2


async def test_a_key_that_somebody_else_sealed_to_the_member_is_refused(
    served: Served, team: Team, person: Callable[..., Any]
) -> None:
    """Whoever writes to the database knows every public recipient, and perhaps a passphrase."""
    swift, key = await person("swift", signed_in=False), SecurityKey()
    numbers = {"name": "", "credential": key.credential.hex(), "public_key": "a1", "mac": bytes(32).hex()}
    member = swift.added.member
    body = seal_body("security key", member.id, 1, numbers, [parse_recipient(member.recipient)])
    connection = await asyncpg.connect(served.database.url(roles.CONSOLE))
    try:
        await factors.add(connection, Factor(member.id, member.id, "security key", body.sealed, 0, NOW))
    finally:
        await connection.close()
    assert (await comes_in_with(swift, await asks(swift, key))).status == 401
    assert await refusals(swift) == ["changed factor row", "security key"]


# ---- recovery codes ---------------------------------------------------------------------------------


async def test_each_recovery_code_works_once_however_it_is_typed(
    served: Served, person: Callable[..., Any]
) -> None:
    swift = await person("swift")
    codes = await makes_codes(swift)
    assert len(set(codes)) == CODES
    assert 10**CODE_DIGITS >= 2**50
    for typed in (codes[0], codes[1].replace("-", ""), codes[2].replace("-", " ")):
        assert (await swift.signs_in(code=typed)).path == "/queue"
        assert (await swift.signs_in(code=typed)).status == 401
    assert await refusals(swift) == ["code used before"] * 3
    assert [leaf["kind"] for leaf in await told(swift)].count("recovery code used") == 3
    await swift.signs_in(code=codes[3])
    shown = (await swift.opens("/factors")).text
    assert f"Left: {CODES - 4} of {CODES}" in shown
    assert not set(codes) & set(re.findall(r"[0-9-]{19}", shown))


async def test_two_at_once_with_one_recovery_code_and_one_comes_in(person: Callable[..., Any]) -> None:
    swift = await person("swift")
    (code, *_) = await makes_codes(swift)
    pages = await asyncio.gather(*(swift.signs_in(code=code) for _ in range(3)))
    assert sorted(page.status for page in pages) == [200, 401, 401]


async def test_old_codes_end_when_new_ones_are_made(person: Callable[..., Any]) -> None:
    swift, owl = await person("swift"), await person("owl")
    old, new = await makes_codes(swift), await makes_codes(swift)
    assert (await swift.signs_in(code=old[0])).status == 401
    assert (await owl.signs_in(code=new[0])).status == 401
    assert (await swift.signs_in(code=new[0])).path == "/queue"


async def test_two_sets_made_at_once_leave_one(served: Served, person: Callable[..., Any]) -> None:
    swift = await person("swift")
    for _ in range(2):  # none before, and one before
        pages = await asyncio.gather(*(swift.posts("/factors/codes") for _ in range(4)))
        assert {page.status for page in pages} <= {200, 409}
        live = "SELECT id FROM factors WHERE removed_hour IS NULL"
        assert len(await rows(served.database.url(roles.CONSOLE), live)) == 1
    assert (await swift.signs_in(code=(await makes_codes(swift))[0])).path == "/queue"


async def test_codes_are_kept_as_hashes_inside_a_seal(served: Served, person: Callable[..., Any]) -> None:
    swift = await person("swift")
    codes = await makes_codes(swift)
    (session,) = served.console.factors.sessions()
    kept = repr(vars(served.console.factors)) + str(served.console.factors.of(session).codes)
    assert not [code for code in codes if code in kept or plain_code(code) in kept]


# ---- the page, and what is kept in memory -----------------------------------------------------------


async def test_keys_and_codes_are_changed_only_with_a_fresh_proof(
    served: Served, person: Callable[..., Any]
) -> None:
    swift = await person("swift")
    served.clock.moves(minutes=6)
    assert (await swift.opens("/factors")).path == "/factors"
    for page in (await swift.opens("/factors/key"), await swift.posts("/factors/codes")):
        assert page.path.startswith("/prove")
    assert await rows(served.database.url(roles.CONSOLE), "SELECT 1 FROM factors") == []


async def test_a_key_proves_it_again(served: Served, person: Callable[..., Any]) -> None:
    swift, key = await person("swift"), SecurityKey()
    await adds(swift, key)
    served.clock.moves(minutes=6)
    page = await swift.posts("/prove", back="/factors", assertion=await asks(swift, key))
    assert page.path == "/factors"
    assert len(await makes_codes(swift)) == CODES


@pytest.mark.parametrize("role", ["analyst", "keeper"])
async def test_what_was_opened_is_forgotten_with_the_session(
    role: str, served: Served, person: Callable[..., Any]
) -> None:
    swift = await person("swift", role)
    assert len(served.console.factors.sessions()) == 1
    await swift.posts("/sign-out")
    assert served.console.factors.sessions() == set()
    served.clock.moves(seconds=31)
    await swift.signs_in()
    assert len(served.console.factors.sessions()) == 1
    served.clock.moves(hours=1)
    await served.console.end_lapsed()
    assert served.console.factors.sessions() == set()


# ---- the site, challenges and plain forms by themselves ---------------------------------------------


@pytest.mark.parametrize(
    ("url", "origin", "name"),
    [
        ("https://desk.example.org", "https://desk.example.org", "desk.example.org"),
        ("https://desk.example.org:8443", "https://desk.example.org:8443", "desk.example.org"),
        ("https://desk.example.org:443", "https://desk.example.org", "desk.example.org"),
        ("http://localhost:8080", "http://localhost:8080", "localhost"),
        ("http://desk.example.org", "http://desk.example.org", None),
        ("https://192.0.2.7", "https://192.0.2.7", None),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080", None),
        ("https://[2001:db8::1]", "https://[2001:db8::1]", None),
    ],
)
def test_keys_belong_to_a_name_over_https_or_to_this_machine(url: str, origin: str, name: str | None) -> None:
    site = Site.at(url)
    assert (site.origin, site.name) == (origin, name)


def test_a_challenge_is_good_once_for_one_purpose_for_minutes_in_one_process() -> None:
    here, there = Challenges(), Challenges()
    one = here.new(b"add", NOW)
    assert here.take(one, b"sign in", NOW) is Taken.UNKNOWN
    assert there.take(one, b"add", NOW) is Taken.UNKNOWN
    assert here.take(one[:-1] + bytes([one[-1] ^ 1]), b"add", NOW) is Taken.UNKNOWN
    assert here.take(b"", b"add", NOW) is Taken.UNKNOWN
    assert here.take(one, b"add", NOW + LASTS) is Taken.UNKNOWN
    assert here.take(one, b"add", NOW + timedelta(minutes=1)) is Taken.FRESH
    assert here.take(one, b"add", NOW + timedelta(minutes=1)) is Taken.USED
    assert here.new(b"add", NOW) != here.new(b"add", NOW)


def test_only_challenges_that_were_answered_are_remembered_and_not_for_long() -> None:
    challenges = Challenges()
    for second in range(400):
        at = NOW + timedelta(seconds=2 * second)
        challenges.new(b"", at)
        challenges.take(challenges.new(b"", at), b"", at)
    assert len(challenges._used) <= LASTS.total_seconds() / 2


def test_codes_and_names_are_read_however_they_were_typed() -> None:
    assert plain_code(" 1234-5678 9012—3456 ") == "1234567890123456"
    assert plain_code("\uff11\uff12\uff13") == "123"
    assert plain_name("  the\u202e blue \n one ") == "the blue one"
    assert len(plain_name("x" * 500)) == 60


async def test_where_there_can_be_no_keys_none_are_offered(
    served: Served, person: Callable[..., Any], clock: Clock
) -> None:
    swift = await person("swift")
    assert "data-key" in (await swift.opens("/sign-in")).text
    served.console.factors.site = Site.at("http://127.0.0.1:8080")
    for path in ("/sign-in", "/factors"):
        assert "data-key" not in (await swift.opens(path)).text
    for path in ("/sign-in/key", "/factors/key"):
        assert (await swift.opens(path)).status == 404
