"""A backup comes back whole into an empty place or not at all, and never with what was erased since."""

import contextlib
import json
import tracemalloc
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from admin import backup, restore
from admin.backup_places import Folder
from admin.keys import check_named, unlock
from admin.members import Opener, add
from seal import open_bytes
from storage import backups, custody, manifest, members, returning, roles, setup, submission
from storage.blobs import BlobError, Blobs
from storage.erasures import Ledger, keep_up
from storage.errors import BackupError
from storage.manifest import SeenSerial
from storage.members import RECOVERY
from storage.tables import APPEND_ONLY
from tests.admin.backing import HOUR, Elsewhere, Meddling, Store, new_database, opened_store, words_of

MIB = 1 << 20


@pytest.fixture
async def store(fresh_database: Any, tmp_path: Path) -> AsyncIterator[Store]:
    async with opened_store(fresh_database, tmp_path / "here", datetime.now(UTC)) as one:
        yield one


@pytest.fixture
async def elsewhere(store: Store, tmp_path: Path) -> AsyncIterator[Elsewhere]:
    async with new_database(store.database) as database:
        superuser = await asyncpg.connect(database.superuser_url)
        yield Elsewhere(database, Blobs.open(str(tmp_path / "elsewhere")), superuser)
        await superuser.close()


async def is_empty(place: Elsewhere) -> bool:
    rows = [await place.counts(table) for table in backups.KEPT]
    return sum(rows) == 0 and not await place.blob_names(datetime.now(UTC))


async def leaves(connection: asyncpg.Connection, kind: str) -> list[dict[str, Any]]:
    rows = await connection.fetch("SELECT leaf FROM custody_leaves ORDER BY id")
    return [leaf for row in rows if (leaf := json.loads(row["leaf"]))["kind"] == kind]


# ---- all of it ---------------------------------------------------------------------------------------


async def test_every_row_and_file_comes_back_as_it_was(store: Store, elsewhere: Elsewhere) -> None:
    await store.takes("about Olenka", b"a house", b"a paper", answer_here=True)
    await store.takes("about Maksym\twith\\all\nkinds\rof\x0bsigns")
    while await custody.sequence(store.keeper):
        pass
    before = {
        table: await store.superuser.fetch(f"SELECT t::text AS row FROM {table} t ORDER BY t::text")
        for table in backups.KEPT
    }
    made = await store.backs_up()
    done = await elsewhere.restores(store, made.path)
    assert (done.files, done.shredded_again) == (2, [])
    for table, expected in before.items():
        rows = await elsewhere.superuser.fetch(f"SELECT t::text AS row FROM {table} t ORDER BY t::text")
        if table == "custody_leaves":
            (more,) = {row["row"] for row in rows} - {row["row"] for row in expected}
            assert len(rows) == len(expected) + 1, more
        else:
            assert [row["row"] for row in rows] == [row["row"] for row in expected]
    now = store.made.manifest
    assert await words_of(elsewhere.superuser, RECOVERY, store.made.recovery, now) == {
        "about Olenka", "about Maksym\twith\\all\nkinds\rof\x0bsigns",
    }  # fmt: skip
    files = await elsewhere.superuser.fetch("SELECT blob FROM files")
    team = store.made.teams["team"]
    opened = {
        open_bytes(b"".join([chunk async for chunk in elsewhere.blobs.get(row["blob"])]), [team])
        for row in files
    }
    assert opened == {b"a house", b"a paper"}
    (leaf,) = await leaves(elsewhere.superuser, "restored")
    assert (leaf["object"], leaf["sha256"], leaf["manifest"]) == (made.name, made.sha256.hex(), 1)


async def test_intake_and_log_go_on_after_what_came_back(store: Store, elsewhere: Elsewhere) -> None:
    first = await store.takes("about Olenka", answer_here=True)
    await custody.sequence(store.keeper)
    await elsewhere.restores(store, (await store.backs_up()).path)
    async with opened_again(store, elsewhere) as again:
        bot, keeper = again.bot, again.keeper
        second = await again.takes("after the restore", b"new", answer_here=True)
        while await custody.sequence(keeper):
            pass
        acts = [leaf["kind"] for leaf in await custody.history(keeper, str(second.report))]
        assert acts == ["receipt"]
        rows = await keeper.fetch('SELECT "index" FROM custody_sequence ORDER BY "index"')
        assert [row["index"] for row in rows] == list(range(await elsewhere.counts("custody_leaves")))
        places = await elsewhere.superuser.fetch("SELECT place FROM threads")
        assert len({row["place"] for row in places}) == 2
        # Who comes back with the words of before is known, if the bot's secret is the same.
        found = await returning.find(bot, submission.words_mac(store.secret, first.words))
        assert found is not None
        assert found.report == first.report
        again.now += 2 * HOUR
        assert again.checks((await again.backs_up()).path).head.rows["reports"] == 2


@contextlib.asynccontextmanager
async def opened_again(store: Store, place: Elsewhere) -> AsyncIterator[Store]:
    """The store at its new place."""
    folder = store.folder.parent / "again"
    folder.mkdir()
    bot = await asyncpg.connect(place.database.url(roles.BOT))
    keeper = await asyncpg.connect(place.database.url(roles.KEEPER))
    yield Store(
        store.made, place.database, folder, keeper, bot, place.superuser, place.blobs, store.now + HOUR
    )
    await bot.close()
    await keeper.close()


async def test_rights_and_triggers_are_as_prepared(store: Store, elsewhere: Elsewhere) -> None:
    await store.takes("about Olenka", b"a house")
    await elsewhere.restores(store, (await store.backs_up()).path)
    for role in roles.LOGIN_ROLES:
        connection = await asyncpg.connect(elsewhere.database.url(role))
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("DELETE FROM bodies")
        await connection.close()
    for table in APPEND_ONLY:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="only grows"):
            await elsewhere.superuser.execute(f"TRUNCATE {table} CASCADE")


# ---- or nothing --------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", ["chats", "tallies", "manifests"])
async def test_a_database_that_holds_anything_is_refused(
    store: Store, elsewhere: Elsewhere, table: str
) -> None:
    made = await store.backs_up()
    values = {
        "chats": "(sha256(''))", "tallies": "(sha256(''), now(), 1, 1)", "manifests": "(7, '', '')",
    }  # fmt: skip
    await elsewhere.superuser.execute(f"INSERT INTO {table} VALUES {values[table]}")
    with pytest.raises(BackupError, match="database is not empty"):
        await elsewhere.restores(store, made.path)
    assert await elsewhere.counts(table) == 1


async def test_a_place_of_files_that_holds_any_is_refused(store: Store, elsewhere: Elsewhere) -> None:
    made = await store.backs_up()

    async def one() -> AsyncIterator[bytes]:
        yield b"someone else's"

    name = (await elsewhere.blobs.put(one())).name
    with pytest.raises(BackupError, match="place of sealed files is not empty"):
        await elsewhere.restores(store, made.path)
    assert await elsewhere.blob_names(store.now) == {name}


async def test_a_backup_cut_off_after_it_was_checked_leaves_nothing(
    store: Store, elsewhere: Elsewhere
) -> None:
    await store.takes("about Olenka", b"a house", bytes(300_000))
    made = await store.backs_up()
    checked = store.checks(made.path)
    data = made.path.read_bytes()
    for other in (data[: len(data) // 2], data[:-1], data[:-200_000]):
        made.path.write_bytes(other)
        with pytest.raises(BackupError):
            await elsewhere.restores(store, made.path, checked=checked)
        assert await is_empty(elsewhere)
    made.path.write_bytes(data)
    await elsewhere.restores(store, made.path)


async def test_another_backup_than_the_one_checked_is_not_restored(
    store: Store, elsewhere: Elsewhere
) -> None:
    await store.takes("about Olenka", b"a house")
    checked = store.checks((await store.backs_up()).path)
    other = await store.backs_up(at=store.now + HOUR)
    with pytest.raises(BackupError, match="changed while it was read"):
        await elsewhere.restores(store, other.path, checked=checked)
    assert await is_empty(elsewhere)


async def test_until_it_is_whole_nobody_finds_a_manifest(
    store: Store, elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.takes("about Olenka", b"a house")
    made = await store.backs_up()
    put, seen = Blobs.put, []

    async def looks(self: Blobs, *given: Any) -> Any:
        stored = await put(self, *given)
        watcher = await asyncpg.connect(elsewhere.database.url(roles.BOT))
        seen.append(await watcher.fetchval("SELECT count(*) FROM manifests"))
        await watcher.close()
        return stored

    monkeypatch.setattr(Blobs, "put", looks)
    await elsewhere.restores(store, made.path)
    assert seen == [0]
    assert await elsewhere.counts("manifests") == 1


async def test_a_disk_that_fails_leaves_nothing(
    store: Store, elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.takes("about Olenka", b"a house", b"a paper")
    made = await store.backs_up()
    put, count = Blobs.put, [0]

    async def fails(self: Blobs, *given: Any) -> Any:
        count[0] += 1
        if count[0] > 1:
            raise BlobError("no space is left")
        return await put(self, *given)

    monkeypatch.setattr(Blobs, "put", fails)
    with pytest.raises(BlobError):
        await elsewhere.restores(store, made.path)
    assert await is_empty(elsewhere)


# ---- what was erased ---------------------------------------------------------------------------------


async def test_what_was_shredded_since_does_not_return(store: Store, elsewhere: Elsewhere) -> None:
    gone = await store.takes("goes", b"its file", b"its other", answer_here=True)
    await store.takes("stays", b"kept")
    made = await store.backs_up()
    await store.shreds(gone.report)
    await store.backs_up(at=store.now + HOUR)  # the ledger beside it has the erasure
    ledger = Ledger(store.backups / "erasures.ndjson")
    assert set(ledger.read()) == {gone.report}

    done = await elsewhere.restores(store, made.path, ledger.read())
    assert (done.files, done.shredded_again) == (1, [gone.report])
    for table in backups.ERASED_WITH:
        rows = await elsewhere.superuser.fetch(f"SELECT report FROM {table}")
        assert gone.report not in {row["report"] for row in rows}
    kept = {row["blob"] for row in await elsewhere.superuser.fetch("SELECT blob FROM files")}
    assert await elsewhere.blob_names(store.now) == kept
    assert await words_of(elsewhere.superuser, RECOVERY, store.made.recovery, store.made.manifest) == {
        "stays"
    }
    # Its shell stays, and the log says that it went again.
    assert await elsewhere.counts("reports") == 2
    (leaf,) = await leaves(elsewhere.superuser, "shredded again")
    assert (leaf["object"], leaf["bodies"], leaf["files"]) == (str(gone.report), 1, 2)
    # The new place's ledger knows it too, from its own rows.
    keeper = await asyncpg.connect(elsewhere.database.url(roles.KEEPER))
    again = Ledger(store.folder / "again.ndjson")
    await keep_up(keeper, again, store.now)
    assert set(again.read()) == {gone.report}
    await keeper.close()


async def test_an_erasure_of_a_report_that_a_backup_does_not_have_changes_nothing(
    store: Store, elsewhere: Elsewhere
) -> None:
    await store.takes("stays", b"kept")
    made = await store.backs_up()
    done = await elsewhere.restores(store, made.path, {uuid.uuid4()})
    assert (done.files, done.shredded_again) == (1, [])
    assert await leaves(elsewhere.superuser, "shredded again") == []


async def test_what_was_shredded_while_the_backup_was_made_is_shredded_without_a_ledger(
    store: Store, elsewhere: Elsewhere
) -> None:
    gone = await store.takes("goes", b"one", b"two")
    await store.takes("stays", b"kept")
    blobs = await store.superuser.fetch("SELECT blob FROM files WHERE report = $1", gone.report)
    meddling = Meddling.open(str(store.folder / "blobs"))
    meddling.happens = lambda: store.shreds(gone.report)
    made = await store.backs_up(blobs=meddling)
    assert made.shredded in (1, 2)
    done = await elsewhere.restores(store, made.path)
    assert (done.files, done.shredded_again) == (1, [gone.report])
    assert not {row["blob"] for row in blobs} & await elsewhere.blob_names(store.now)


# ---- versions ----------------------------------------------------------------------------------------


async def test_a_backup_of_an_older_schema_is_brought_up(
    store: Store, elsewhere: Elsewhere, tmp_path: Path
) -> None:
    """Written as the version before would have: with its tables and columns."""
    await store.takes("about Olenka", b"a house")
    await setup.migrate(store.database.superuser_url, "0005")
    old = {
        table: [
            row["name"]
            for row in await store.superuser.fetch(
                """SELECT a.attname AS name FROM pg_attribute a WHERE a.attrelid = to_regclass($1) AND a.attnum > 0
                   AND NOT a.attisdropped ORDER BY a.attnum""",
                table,
            )
        ]
        for table in backups.KEPT
    }
    terms = backup.Terms(store.public, SeenSerial(tmp_path / "seen"), store.now, timedelta(days=30))
    with Folder(tmp_path).written("old.age") as out:
        dump = backup.Dump(store.superuser, store.blobs, out.write, store.said.append)
        head = await dump.run(terms, {table: columns for table, columns in old.items() if columns}, "0005")
    assert "used_codes" not in head.tables
    assert "compartment" not in head.columns["files"]

    await elsewhere.restores(store, tmp_path / "old.age")
    revision = await elsewhere.superuser.fetchval("SELECT version_num FROM alembic_version")
    assert revision == setup.newest_revision()
    assert await elsewhere.superuser.fetchval("SELECT compartment FROM files") == "team"
    assert await words_of(elsewhere.superuser, RECOVERY, store.made.recovery, store.made.manifest) == {
        "about Olenka"
    }
    assert len(await leaves(elsewhere.superuser, "restored")) == 1


# ---- members -----------------------------------------------------------------------------------------


async def test_a_member_comes_in_by_passphrase_and_opens_what_came_back(
    store: Store, elsewhere: Elsewhere
) -> None:
    added = await add(
        store.keeper, "swift", "analyst", signer=store.made.ceremony_key,
        opener=Opener(RECOVERY, store.made.recovery), seen=SeenSerial(store.folder / "seen-keeper"),
        work_factor=4, now=store.now,
    )  # fmt: skip
    await store.takes("about Olenka", b"a house")
    await elsewhere.restores(store, (await store.backs_up()).path)
    console = await asyncpg.connect(elsewhere.database.url(roles.CONSOLE))
    row = await members.by_call_sign(console, "swift")
    assert row is not None
    me = unlock(row, added.passphrase)
    now = await manifest.newest(console, store.public, SeenSerial(store.folder / "seen-console"))
    check_named(row, now)
    assert await words_of(console, me.member, me.identity, now) == {"about Olenka"}
    await console.close()


async def test_an_empty_store_comes_back_too(store: Store, elsewhere: Elsewhere) -> None:
    done = await elsewhere.restores(store, (await store.backs_up()).path)
    assert done == restore.Restored(0, [])
    assert await elsewhere.counts("manifests") == 1


async def test_a_store_that_lost_a_file_is_kept_without_it_only_when_told_and_says_so(
    store: Store, elsewhere: Elsewhere
) -> None:
    receipt = await store.takes("about Olenka", b"a house")
    await store.takes("about Maksym", b"a paper")
    lost = await store.superuser.fetchval("SELECT blob FROM files WHERE report = $1", receipt.report)
    await store.blobs.delete(lost)
    with pytest.raises(BackupError, match=lost):
        await store.backs_up()
    made = await store.backs_up(lost=frozenset({lost}))
    checked = store.checks(made.path)
    assert (checked.lost, checked.shredded) == ((lost,), frozenset())
    (leaf,) = await leaves(store.superuser, "backup")
    assert leaf["lost"] == [lost]
    assert (await elsewhere.restores(store, made.path)).files == 1
    assert await elsewhere.counts("files") == 2
    assert await words_of(elsewhere.superuser, RECOVERY, store.made.recovery, store.made.manifest) == {
        "about Olenka",
        "about Maksym",
    }


async def test_memory_stays_constant_whatever_comes_back(store: Store, elsewhere: Elsewhere) -> None:
    await store.takes("a long one", bytes(64 * MIB))
    await store.superuser.execute(
        "INSERT INTO custody_leaves (leaf) SELECT convert_to(repeat('x', 400), 'UTF8')"
        " FROM generate_series(1, 50000)"
    )
    made = await store.backs_up()
    checked = store.checks(made.path)
    tracemalloc.start()
    try:
        await elsewhere.restores(store, made.path, checked=checked)
        assert tracemalloc.get_traced_memory()[1] < 24 * MIB
    finally:
        tracemalloc.stop()
    assert await elsewhere.counts("custody_leaves") > 50_000
