"""At the terminal: a member leaves, loses a passphrase, has another role; what is refused is told in a sentence."""

import asyncio
import io
import json
import os
import re
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import pyotp
import pytest

from admin import __main__ as cli
from storage import manifest, members, roles

_PASSPHRASE = re.compile(r"^  ([a-z]+(?:-[a-z]+){6})$", re.MULTILINE)
_SECRET = re.compile(r"[?&]secret=([A-Z2-7]+)")


@dataclass(frozen=True)
class Ran:
    status: int
    out: str
    err: str


@dataclass
class Desk:
    """The key desk: the two papers, and what members were shown."""

    command: Callable[..., Awaitable[Ran]]
    database: Any
    papers: Path
    shown: dict[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def key(self) -> tuple[object, ...]:
        return ("--ceremony-key", self.papers / "ceremony-key.txt")

    @property
    def both(self) -> tuple[object, ...]:
        return (*self.key, "--recovery", self.papers / "recovery.txt")

    async def does(self, *arguments: object, typed: str = "") -> str:
        ran = await self.command(*arguments, typed=typed)
        assert (ran.status, ran.err) == (0, "")
        return ran.out

    async def is_refused(self, *arguments: object, typed: str = "", status: int = 1) -> str:
        ran = await self.command(*arguments, typed=typed)
        assert (ran.status, ran.out) == (status, "")
        assert "Traceback" not in ran.err
        for passphrase, secret in self.shown.values():
            assert passphrase not in ran.err
            assert secret not in ran.err
        return ran.err

    async def adds(self, call_sign: str, role: str, *compartments: str) -> None:
        chosen = [part for name in compartments for part in ("--compartment", name)]
        self.keeps(
            call_sign, await self.does("member", "add", call_sign, "--role", role, *chosen, *self.both)
        )

    def keeps(self, call_sign: str, out: str) -> None:
        (passphrase,), (secret,) = _PASSPHRASE.findall(out), _SECRET.findall(out)
        self.shown[call_sign] = passphrase, secret

    def proof(self, call_sign: str, *, steps: int = 0) -> str:
        """Passphrase and code, as they are typed; `steps` half minutes on."""
        passphrase, secret = self.shown[call_sign]
        return f"{passphrase}\n{pyotp.TOTP(secret).at(int(time.time()) + 30 * steps)}\n"

    async def reads(self, query: str) -> list[Any]:
        connection = await asyncpg.connect(self.database.superuser_url)
        try:
            return list(await connection.fetch(query))
        finally:
            await connection.close()

    async def refusals(self) -> list[str]:
        leaves = [
            json.loads(row["leaf"]) for row in await self.reads("SELECT leaf FROM custody_leaves ORDER BY id")
        ]
        return [leaf["what"] for leaf in leaves if leaf["kind"] == "refused"]


def _status(arguments: list[str]) -> int:
    try:
        return cli.main(arguments)
    except SystemExit as ended:
        return int(ended.code or 0)


@pytest.fixture
async def desk(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], fresh_database: Any, tmp_path: Path
) -> Desk:
    for name in [name for name in os.environ if name.startswith("DODOMU_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("DODOMU_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("DODOMU_SCRYPT_WORK_FACTOR", "4")
    monkeypatch.setenv("DODOMU_KEEPER_DATABASE_URL", fresh_database.url(roles.KEEPER))

    async def command(*arguments: object, typed: str = "") -> Ran:
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        status = await asyncio.to_thread(_status, [str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Ran(status, captured.out, captured.err)

    held = await command("ceremony", "--out", tmp_path / "papers", "--yes")
    (key,) = re.findall(r"DODOMU_CEREMONY_KEY=([0-9a-f]{64})", held.out)
    monkeypatch.setenv("DODOMU_CEREMONY_KEY", key)
    return Desk(command, fresh_database, tmp_path / "papers")


async def test_a_member_leaves_at_the_terminal(desk: Desk) -> None:
    await desk.adds("heron", "lead")
    await desk.adds("swift", "analyst", "team", "child")
    told = await desk.is_refused("member", "leave", "swift", *desk.both)
    assert told == (
        "swift is the last who opens child: its reports would wait until somebody is given it with the recovery paper."
        "\nIf that is meant, say it again with --even-so.\n"
    )
    passphrase = desk.shown["heron"][0]
    left = await desk.does(
        "member", "leave", "swift", *desk.key, "--as", "heron", "--even-so", typed=f"{passphrase}\n"
    )
    assert "swift is no member any more (manifest 4)." in left
    assert "New epoch: child, team." in left
    listed = await desk.does("member", "list")
    assert [line.split()[0] for line in listed.splitlines()] == ["heron", "swift"]
    assert "left 20" in listed.splitlines()[1]
    assert "swift left already" in await desk.is_refused("member", "leave", "swift", *desk.both)


async def test_what_will_not_be_delivered_is_told_by_desk_code(desk: Desk) -> None:
    await desk.adds("heron", "lead")
    await desk.adds("swift", "analyst")
    connection = await asyncpg.connect(desk.database.superuser_url)
    try:
        await connection.execute("SET session_replication_role = replica")
        await connection.execute(
            "INSERT INTO reports (id, public_code, desk_code, form, form_version, received_hour, class, compartment,"
            " status) VALUES (gen_random_uuid(), 'PUBLIC', 'K-7', 'family', 1, now(), 'normal', 'team', 'new')"
        )
        await connection.execute(
            "INSERT INTO replies (id, report, number, member, sealed, signature, written_hour)"
            " SELECT gen_random_uuid(), r.id, n, m.id, '', $1, now() FROM reports r, members m, generate_series(1, 2) n"
            " WHERE m.call_sign = 'swift'",
            bytes(64),
        )
    finally:
        await connection.close()
    left = await desk.does("member", "leave", "swift", *desk.both)
    assert "2 of their answers will not be delivered" in left
    assert left.endswith("Write them again: K-7.\n")


async def test_a_wrong_passphrase_takes_nobody_out_and_is_on_record(desk: Desk) -> None:
    await desk.adds("heron", "lead")
    await desk.adds("swift", "analyst")
    typed = f"{desk.shown['swift'][0]}\n"
    told = await desk.is_refused("member", "leave", "swift", *desk.key, "--as", "heron", typed=typed)
    assert told == "The passphrase does not open this member's identity.\n"
    told = await desk.is_refused("member", "leave", "swift", *desk.key, "--as", "swift", typed=typed)
    assert "Nobody signs their own leaving" in told
    assert "no member wren" in await desk.is_refused("member", "leave", "wren", *desk.both)
    assert await desk.refusals() == ["passphrase"]
    assert await desk.reads("SELECT 1 FROM members WHERE left_hour IS NOT NULL") == []


async def test_a_role_is_changed_at_the_terminal(desk: Desk) -> None:
    await desk.adds("heron", "lead")
    await desk.adds("swift", "analyst")
    assert await desk.does("member", "role", "swift", "lead", *desk.key) == (
        "swift is lead from their next sign-in on.\n"
    )
    told = await desk.does("member", "role", "heron", "keeper", *desk.key)
    assert "New epoch: team." in told
    assert "is lead already" in await desk.is_refused("member", "role", "swift", "lead", *desk.key)
    assert "--even-so" in await desk.is_refused("member", "role", "swift", "analyst", *desk.key)


async def test_new_epochs_begin_at_the_terminal(desk: Desk) -> None:
    told = await desk.does("rotate", "--compartment", "team", "child", *desk.key)
    assert told.startswith("New epoch: child, team. The bot seals to it within half a minute")
    assert (await desk.does("rotate", *desk.key)).startswith("New epoch: child, team, whereabouts.")
    assert "no compartment attic" in await desk.is_refused("rotate", "--compartment", "attic", *desk.key)
    held = await desk.reads("SELECT compartment, max(epoch) AS epoch FROM team_keys GROUP BY 1 ORDER BY 1")
    assert [tuple(row) for row in held] == [("child", 3), ("team", 3), ("whereabouts", 2)]


async def test_a_passphrase_is_reset_with_the_papers(desk: Desk) -> None:
    await desk.adds("swift", "analyst")
    old = desk.shown["swift"]
    out = await desk.does("member", "reset", "swift", *desk.both)
    assert out.startswith("swift has new keys (manifest 3); what they wrote stays theirs.")
    assert "python -m admin rotate" in out
    desk.keeps("swift", out)
    assert not set(old) & set(desk.shown["swift"])


async def test_a_passphrase_is_reset_by_two_leads_who_each_prove_themselves(desk: Desk) -> None:
    for lead in ("heron", "wren"):
        await desk.adds(lead, "lead")
    await desk.adds("swift", "safeguarding", "team", "child")
    two = ("--as", "heron", "--as", "wren")
    out = await desk.does("member", "reset", "swift", *two, typed=desk.proof("heron") + desk.proof("wren"))
    assert "Not given, for nobody here holds it: child, epoch 1." in out
    assert "member give swift --compartment child" in out
    desk.keeps("swift", out)
    # The same codes again: a code works once.
    again = await desk.is_refused(
        "member", "reset", "swift", *two, typed=desk.proof("heron") + desk.proof("wren")
    )
    assert "heron used this code already" in again
    # A good first and a wrong second reset nobody.
    typed = desk.proof("heron", steps=1) + f"{desk.shown['wren'][0]}\n12\n"
    assert "The code is not wren's" in await desk.is_refused("member", "reset", "swift", *two, typed=typed)
    assert await desk.refusals() == ["code used before", "code"]
    connection = await asyncpg.connect(desk.database.url(roles.CONSOLE))
    try:
        row = await members.by_call_sign(connection, "swift")
    finally:
        await connection.close()
    (newest,) = await desk.reads("SELECT body FROM manifests ORDER BY serial DESC LIMIT 1")
    assert row is not None
    named = manifest.Manifest.model_validate_json(newest["body"]).members[str(row.id)]
    assert (named.recipient, named.signing_key) == (row.recipient, row.signing_key.hex())


async def test_who_cannot_reset_is_told_before_anything_is_typed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    for lead in ("heron", "wren"):
        await desk.adds(lead, "lead")
    await desk.adds("swift", "analyst")
    two = ("--as", "heron", "--as", "wren")
    for arguments, why in (
        (("swift", "--as", "heron", "--as", "swift"), "Nobody resets their own keys"),
        (("heron", *two), "Nobody resets their own keys"),
        (("wren", "--as", "heron", "--as", "swift"), "swift is no lead"),
        (("robin", *two), "no member robin"),
        (("swift", "--as", "heron", "--as", "robin"), "no member robin"),
    ):
        assert why in await desk.is_refused("member", "reset", *arguments)
    for arguments, why in (
        (("swift",), "give both papers"),
        (("swift", *desk.key), "give both papers"),
        (("swift", "--as", "heron"), "say --as LEAD twice"),
        (("swift", "--as", "heron", "--as", "heron"), "two people"),
        (("swift", *two, *desk.key), "either both papers or two leads"),
    ):
        assert why in await desk.is_refused("member", "reset", *arguments, status=2)
    monkeypatch.delenv("DODOMU_CEREMONY_KEY")
    assert "DODOMU_CEREMONY_KEY is not set" in await desk.is_refused("member", "reset", "swift", *two)
    assert await desk.refusals() == []
