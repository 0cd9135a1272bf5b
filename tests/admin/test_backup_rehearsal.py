"""The machine is gone: what was kept elsewhere and two papers bring everything back, by the command line alone."""

import asyncio
import json
import os
import shutil
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from admin import __main__ as cli
from admin.keys import check_named, unlock
from admin.members import Opener, add
from seal import HybridIdentity
from storage import custody, local, manifest, members, returning, roles, setup, submission
from storage.blobs import Blobs
from storage.manifest import SeenSerial
from storage.members import RECOVERY
from storage.secrets import ProcessSecret
from tests.admin.backing import HOUR, Store, opened_store, words_of


@dataclass(frozen=True)
class Ran:
    status: int
    out: str
    err: str


@pytest.fixture
async def store(fresh_database: Any, tmp_path: Path) -> AsyncIterator[Store]:
    async with opened_store(fresh_database, tmp_path / "machine", datetime.now(UTC)) as one:
        one.secret = ProcessSecret.at(tmp_path / "machine" / "bot" / "secret")
        one.backups.mkdir()
        yield one


@pytest.fixture
def papers(store: Store, tmp_path: Path) -> Path:
    """What lies in the safe."""
    (tmp_path / "papers").mkdir()
    path = tmp_path / "papers" / "recovery.txt"
    path.write_text(store.made.recovery.reveal())
    path.chmod(0o600)
    return path


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], store: Store
) -> Callable[..., Any]:
    for name in [name for name in os.environ if name.startswith("DODOMU_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("DODOMU_STATE", str(store.folder))
    monkeypatch.setenv("DODOMU_KEEPER_DATABASE_URL", store.database.url(roles.KEEPER))
    monkeypatch.setenv("DODOMU_CEREMONY_KEY", store.made.ceremony_public_hex)

    def status(arguments: list[str]) -> int:
        try:
            return cli.main(arguments)
        except SystemExit as ended:
            return int(str(ended.code or 0))

    async def run_it(*arguments: object) -> Ran:
        ended = await asyncio.to_thread(status, [str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Ran(ended, captured.out, captured.err)

    return run_it


async def test_everything_comes_back_from_a_backup_and_papers_alone(
    store: Store, papers: Path, run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    added = await add(
        store.keeper, "swift", "analyst", signer=store.made.ceremony_key,
        opener=Opener(RECOVERY, store.made.recovery), seen=SeenSerial(tmp_path / "seen"), work_factor=4,
        now=store.now,
    )  # fmt: skip
    first = await store.takes("about Olenka", b"a house", b"a paper", answer_here=True)
    await store.takes("about Maksym")
    gone = await store.takes("withdrawn", b"a photo")
    while await custody.sequence(store.keeper):
        pass
    made = await run("backup", "--to", store.backups)
    assert (made.status, made.err) == (0, "")
    assert "is whole" in made.out
    assert "3 reports" in made.out
    (file,) = store.backups.glob("*.age")
    verified = await run("backup", "verify", file, "--recovery", papers)
    assert (verified.status, verified.err) == (0, "")
    assert "Reports: 3. Sealed files: 3. Members: 1." in verified.out
    elsewhere = await loses_the_machine(store, gone.report, tmp_path)

    # Another machine: nothing of the first is on it.
    state = tmp_path / "new"
    monkeypatch.setenv("DODOMU_STATE", str(state))
    monkeypatch.delenv("DODOMU_KEEPER_DATABASE_URL")
    monkeypatch.delenv("DODOMU_CEREMONY_KEY")
    file, ledger = elsewhere / "backups" / file.name, elsewhere / "erasures.ndjson"
    restored = await run(
        "restore",
        file,
        "--recovery",
        papers,
        "--ledger",
        ledger,
        "--ceremony-public",
        store.made.ceremony_public_hex,
    )
    assert (restored.status, restored.err) == (0, "")
    assert "3 reports, 2 sealed files. Shredded again: 1." in restored.out
    assert added.passphrase not in restored.out
    assert store.made.recovery.reveal() not in restored.out

    passwords = setup.new_passwords(state / "roles")
    with await asyncio.to_thread(local.acquire, state / "postgres") as server:

        def url(role: str) -> str:
            return server.url(role, passwords[role], "dodomu")

        console, bot, keeper = [
            await asyncpg.connect(url(role)) for role in (roles.CONSOLE, roles.BOT, roles.KEEPER)
        ]
        # Every report opens through recovery, and by a member's passphrase.
        now = await manifest.newest(console, store.public, SeenSerial(state / "seen-manifest-console"))
        words = {"about Olenka", "about Maksym"}
        assert await words_of(keeper, RECOVERY, store.made.recovery, now) == words
        row = await members.by_call_sign(console, "swift")
        assert row is not None
        check_named(row, now)
        me = unlock(row, added.passphrase)
        assert await words_of(console, me.member, me.identity, now) == words
        # Intake goes on, in the log of before.
        superuser = await asyncpg.connect(server.superuser_url("dodomu"))
        again = Store(
            store.made, store.database, state, keeper, bot, superuser, Blobs.open(str(state / "blobs")),
            store.now + 2 * HOUR, secret=ProcessSecret.at(elsewhere / "secret"),
        )  # fmt: skip
        later = await again.takes("after the loss", b"new")
        while await custody.sequence(keeper):
            pass
        assert [leaf["kind"] for leaf in await custody.history(keeper, str(later.report))] == ["receipt"]
        kinds = [leaf["kind"] for leaf in await custody.history(keeper, str(gone.report))]
        assert kinds == ["receipt", "shredded again"]
        # The words of before are known with the bot's secret, and lost without it.
        found = await returning.find(bot, submission.words_mac(again.secret, first.words))
        assert found is not None
        assert found.report == first.report
        other = ProcessSecret.at(state / "bot" / "secret")
        assert await returning.find(bot, submission.words_mac(other, first.words)) is None
        for connection in (console, bot, keeper, superuser):
            await connection.close()

        monkeypatch.setenv("DODOMU_CEREMONY_KEY", store.made.ceremony_public_hex)
        await goes_on(run, elsewhere, papers)


async def loses_the_machine(store: Store, gone: uuid.UUID, tmp_path: Path) -> Path:
    """The folder elsewhere that is left: backups, the ledger with what was shredded since, the bot's secret."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    await store.shreds(gone)
    store.ledger.add([(gone, "2026-11-22T12Z")])  # as the keeper does
    shutil.copy(store.folder / "ledger" / "erasures.ndjson", elsewhere)
    shutil.copy(store.folder / "bot" / "secret", elsewhere)
    shutil.move(store.backups, elsewhere / "backups")
    shutil.rmtree(store.folder)
    return elsewhere


async def goes_on(run: Any, elsewhere: Path, papers: Path) -> None:
    """The new machine's own backup is whole, its log too; and it is not restored over itself."""
    (elsewhere / "new").mkdir()
    made = await run("backup", "--to", elsewhere / "new")
    assert (made.status, made.err) == (0, "")
    (file,) = (elsewhere / "new").glob("*.age")
    verified = await run("backup", "verify", file, "--recovery", papers)
    assert (verified.status, verified.err) == (0, "")
    assert "Reports: 4. Sealed files: 3." in verified.out
    refused = await run("restore", file, "--recovery", papers, "--ledger", elsewhere / "erasures.ndjson")
    assert (refused.status, "database is not empty" in refused.err) == (1, True)


async def test_what_cannot_be_done_is_told_in_a_sentence(
    store: Store, papers: Path, run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.takes("about Olenka", b"a house")
    assert (await run("backup", "--to", store.backups)).status == 0
    (file,) = store.backups.glob("*.age")
    again = await run("backup", "--to", store.backups)
    assert (again.status, "one backup an hour" in again.err) == (1, True)
    nowhere = await run("backup", "--to", tmp_path / "not mounted")
    assert (nowhere.status, "There is no folder" in nowhere.err) == (1, True)
    assert (await run("backup")).status == 2
    assert (await run("backup", "--to", store.backups, "--keep-days", "0")).status == 2

    recovery = ("--recovery", papers)
    cut = file.with_name("cut.age")
    cut.write_bytes(file.read_bytes()[:-40])
    other = papers.with_name("other.txt")
    other.write_text(HybridIdentity.generate().reveal())
    for arguments, told in (
        ((cut, *recovery), "not whole"),
        ((papers, *recovery), "not a backup"),
        ((file, "--recovery", other), "sealed to another"),
        ((file, *recovery, "--ceremony-public", "ab" * 32), "not signed by the ceremony key"),
        ((file, *recovery, "--ceremony-public", "words"), "--ceremony-public"),
        ((file, "--recovery", tmp_path / "none"), "cannot be read"),
    ):
        for command in (("backup", "verify"), ("restore", "--without-ledger")):
            ran = await run(*command, *arguments)
            assert (ran.status, told in ran.err) == (1, True), ran
            assert "Traceback" not in ran.err
            assert ran.err.count("\n") == 1
    assert not (store.folder / "postgres").exists()  # refused before anything is made
    connection = await asyncpg.connect(store.database.superuser_url)
    leaves = [json.loads(row["leaf"]) for row in await connection.fetch("SELECT leaf FROM custody_leaves")]
    await connection.close()
    assert {leaf["what"] for leaf in leaves if leaf["kind"] == "refused"} == {
        "backup that did not pass its check"
    }

    assert (await run("restore", file, *recovery)).status == 2  # with the ledger, or expressly without
    unknown = await run("restore", file, *recovery, "--ledger", tmp_path / "none")
    assert (unknown.status, "There is no ledger" in unknown.err) == (1, True)
    monkeypatch.delenv("DODOMU_CEREMONY_KEY")
    unset = await run("backup", "--to", store.backups)
    assert (unset.status, "DODOMU_CEREMONY_KEY" in unset.err) == (1, True)


async def test_a_backup_with_an_older_manifest_than_was_seen_is_told(
    store: Store, papers: Path, run: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    await run("backup", "--to", store.backups)
    (file,) = store.backups.glob("*.age")
    monkeypatch.setenv("DODOMU_STATE", str(tmp_path / "new"))
    monkeypatch.setenv("DODOMU_SUPERUSER_URL", store.database.superuser_url)  # which is not empty
    (tmp_path / "new" / "bot").mkdir(parents=True)
    (tmp_path / "new" / "seen-manifest-console").write_text("7 abcd")
    (tmp_path / "new" / "bot" / "manifest-serial").write_text("1")
    ran = await run("restore", file, "--recovery", papers, "--without-ledger")
    assert "manifest 7 was already seen here" in ran.out
    assert "seen-manifest-console" in ran.out
    assert "manifest-serial" not in ran.out
    assert "what was shredded after this backup returns" in ran.out
    assert (ran.status, "database is not empty" in ran.err) == (1, True)
