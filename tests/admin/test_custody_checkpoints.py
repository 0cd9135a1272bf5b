"""The keeper signs only what goes on from what it signed; publishes it until it is public; and has it stamped."""

from __future__ import annotations

import asyncio
import stat
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import SecretStr
from structlog.testing import capture_logs

from admin import keeper as keeper_process
from admin import timestamps
from admin.checkpoints import Checkpoints, Log, log_key, take_cosignatures
from admin.publishing import Address, Channel, Folder
from admin.timestamps import Authority, TimestampError, stamped
from rehearsal.clock import Clock
from rehearsal.server import Rehearsal
from storage import custody, merkle, notes, roles
from storage.blobs import Blobs
from storage.erasures import Ledger
from storage.errors import ForgedNoteError, MalformedNoteError, UnsignedNoteError
from storage.notes import Checkpoint, Signer
from tests.admin.custody_kit import ORIGIN, Keeping, faults
from tests.admin.stamping import authority, openssl, serving

BOT = "1000:TRY"
PATIENCE_S = 20


async def sizes(keeping: Keeping, table: str = "custody_checkpoints") -> list[int]:
    return [row["size"] for row in await keeping.rows(f"SELECT size FROM {table} ORDER BY size")]


async def refusals(keeping: Keeping) -> list[str]:
    rows = await keeping.rows(
        "SELECT convert_from(leaf, 'UTF8')::jsonb ->> 'what' AS what FROM custody_leaves"
        " WHERE convert_from(leaf, 'UTF8')::jsonb ->> 'kind' = 'refused' ORDER BY id"
    )
    return [row["what"] for row in rows]


# ---- the key -------------------------------------------------------------------------------------


def test_the_logs_key_is_made_once_and_only_its_user_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "keeper" / "log-key"
    first, second = log_key(path), log_key(path)
    assert first.private_bytes_raw() == second.private_bytes_raw() == path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert path.read_bytes().hex() not in repr(Log.at(tmp_path, ORIGIN))


# ---- what is signed ------------------------------------------------------------------------------


async def test_a_checkpoint_is_the_signed_head_of_the_log(keeping: Keeping) -> None:
    await keeping.acts(3)
    await keeping.round()
    (row,) = await keeping.rows("SELECT * FROM custody_checkpoints")
    checkpoint = Checkpoint.parse(notes.verify(row["note"], [keeping.log.vkey]))
    hashes = await keeping.rows('SELECT leaf_hash FROM custody_sequence ORDER BY "index"')
    assert checkpoint == Checkpoint(ORIGIN, 8, merkle.root([row["leaf_hash"] for row in hashes]))
    assert row["size"] == len(hashes)
    assert row["note"].count(b"\n") == 5


async def test_nothing_is_signed_when_nothing_is_new_nor_before_the_time(keeping: Keeping) -> None:
    await keeping.acts(1)
    await keeping.round()
    await keeping.round()
    assert await sizes(keeping) == [4]
    await keeping.acts(1)
    await keeping.round(minutes=59)
    assert await sizes(keeping) == [4]
    await keeping.round(minutes=1)
    assert await sizes(keeping) == [4, 6]
    await keeping.acts(1)
    keeping.starts_anew()
    await keeping.round(minutes=1)
    assert await sizes(keeping) == [4, 6, 8]


FORKS = {
    "a new leaf is changed": (
        """UPDATE custody_leaves
        SET leaf = convert_to(replace(convert_from(leaf, 'UTF8'), 'opened', 'claimed'), 'UTF8')
        WHERE id = (SELECT leaf FROM custody_sequence WHERE "index" = 14)""",
        "leaf 14 is not what it was when it was numbered",
    ),
    "the hash of a leaf that was signed for": (
        'UPDATE custody_sequence SET leaf_hash = sha256(leaf_hash) WHERE "index" = 4',
        "the first 11 leaves are not those that were signed for",
    ),
    "a new leaf is gone": ('DELETE FROM custody_sequence WHERE "index" = 13', "leaf 13 is missing"),
    "the newest are gone": (
        """DELETE FROM custody_sequence WHERE "index" > 8;
        DELETE FROM custody_leaves WHERE id > (SELECT max(leaf) FROM custody_sequence)""",
        "the log has 9 leaves, and 11 were signed for",
    ),
    "its checkpoint is gone too": (
        """DELETE FROM custody_checkpoints;
        DELETE FROM custody_sequence WHERE "index" > 8;
        DELETE FROM custody_leaves WHERE id > (SELECT max(leaf) FROM custody_sequence)""",
        "the log has 9 leaves, and 11 were signed for",
    ),
}


@pytest.mark.parametrize("what", FORKS)
async def test_a_fork_is_never_signed_and_is_on_record(keeping: Keeping, what: str) -> None:
    statements, sentence = FORKS[what]
    await keeping.acts(4)
    await keeping.names_log()
    await keeping.round()
    assert await sizes(keeping) == [11]
    published = {path.name for path in keeping.published.iterdir()}
    if "new leaf" in what:
        await keeping.acts(2)
        await custody.sequence(keeping.team.connection)
    await keeping.meddles(statements)
    with capture_logs() as logged:
        await keeping.round()
    assert [entry["fault"] for entry in logged if entry["log_level"] == "error"] == [sentence]
    assert await refusals(keeping) == ["changed log"]
    assert set(await sizes(keeping)) <= {11}
    assert {path.name for path in keeping.published.iterdir()} == published


@pytest.mark.parametrize("by", ["nobody", "another key", "another place"])
async def test_a_forged_checkpoint_is_never_published(keeping: Keeping, by: str) -> None:
    await keeping.acts(4)
    await keeping.round()
    (row,) = await keeping.rows("SELECT size, note FROM custody_checkpoints")
    text = Checkpoint(ORIGIN, 12, bytes(32)).text()
    forged = {
        "nobody": row["note"].replace(b"\n10\n", b"\n12\n"),
        "another key": notes.sign(text, Signer(ORIGIN, Ed25519PrivateKey.generate())),
        "another place": row["note"],
    }[by]
    superuser = await keeping.by("superuser")
    await superuser.execute("INSERT INTO custody_checkpoints VALUES (12, $1, now())", forged)
    await keeping.acts(3)
    with capture_logs() as logged:
        await keeping.round()
    assert await sizes(keeping) == [10, 12]
    assert sorted(path.name for path in keeping.published.iterdir()) == ["000000000010.note", "checkpoint"]
    assert await refusals(keeping) in (["changed log"], ["forged checkpoint"])
    assert "a checkpoint was not published: it is not of this log" in {entry["event"] for entry in logged}


async def test_a_state_folder_that_was_lost_goes_on_with_a_new_key(grown: Keeping) -> None:
    before = grown.log.vkey
    (grown.state / "keeper").rename(grown.folder / "lost")
    grown.starts_anew()
    await grown.names_log()
    await grown.round()
    assert grown.log.vkey != before
    found = grown.verifies(await grown.dumps())
    assert found.holds, found.text()
    assert "Checkpoints: 4, 4 of them as published" in found.text()


async def test_the_keeper_says_when_the_manifest_does_not_name_its_key(keeping: Keeping) -> None:
    with capture_logs() as logged:
        await keeping.round()
    assert any("run python -m admin custody name-log" in entry["event"] for entry in logged)
    await keeping.names_log()
    keeping.starts_anew()
    with capture_logs() as logged:
        await keeping.round()
    assert not any("name-log" in entry["event"] for entry in logged)


async def test_a_manifest_that_this_version_cannot_read_stops_no_keeper(keeping: Keeping) -> None:
    await keeping.meddles("INSERT INTO manifests VALUES (2, '{}', 'later')")
    await keeping.acts(1)
    await keeping.round()
    assert await sizes(keeping) == [4]


async def test_of_two_keepers_one_signs(keeping: Keeping) -> None:
    await keeping.acts(2)
    await asyncio.gather(*(keeping.round() for _ in range(3)))
    assert await sizes(keeping) == [6]


async def test_the_keeper_makes_a_checkpoint_when_it_starts(keeping: Keeping, tmp_path: Path) -> None:
    await keeping.acts(5)
    stop = asyncio.Event()
    signing = Checkpoints(keeping.log, [Folder(keeping.published)], [], [], timedelta(hours=1))
    running = asyncio.create_task(
        keeper_process.keep(
            keeping.database.url(roles.KEEPER),
            Blobs.open(str(tmp_path / "blobs")),
            Ledger(tmp_path / "erasures.ndjson"),
            stop=stop,
            signing=signing,
        )
    )
    async with asyncio.timeout(PATIENCE_S):
        while not await sizes(keeping, "custody_publications"):  # noqa: ASYNC110 - a database sets no event
            await asyncio.sleep(0.02)
        stop.set()
        await running
    assert keeping.verifies(await keeping.dumps(), log_keys=[keeping.log.vkey]).holds


# ---- where it is published -----------------------------------------------------------------------


async def test_a_folder_holds_each_checkpoint_and_the_newest(keeping: Keeping) -> None:
    for _ in range(2):
        await keeping.acts(1)
        await keeping.round()
    kept = {row["size"]: row["note"] for row in await keeping.rows("SELECT * FROM custody_checkpoints")}
    assert {path.name for path in keeping.published.iterdir()} == {
        "000000000004.note", "000000000006.note", "checkpoint"
    }  # fmt: skip
    assert (keeping.published / "000000000004.note").read_bytes() == kept[4]
    assert (keeping.published / "checkpoint").read_bytes() == kept[6]


async def test_an_address_is_tried_until_it_takes_each_in_order(keeping: Keeping) -> None:
    got: list[tuple[str, str, bytes]] = []
    status = 503

    async def put(request: web.Request) -> web.Response:
        got.append((request.path, request.headers["Authorization"], await request.read()))
        return web.Response(status=status, headers={"Location": "/elsewhere"})

    app = web.Application()
    app.router.add_put("/{name:.*}", put)
    async with serving(app) as url:
        keeping.places = [Address(f"{url}/log/", SecretStr("s3cret-bearer")), Folder(keeping.published)]
        await keeping.acts(1)
        with capture_logs() as logged:
            await keeping.round()
            status = 302  # a redirect is not followed: the secret would go along
            await keeping.acts(1)
            await keeping.round()
        assert await sizes(keeping, "custody_publications") == [4, 6]  # the folder has them
        refused = [entry for entry in logged if entry["event"] == "a checkpoint could not be published"]
        assert len(refused) == 1
        assert "s3cret" not in str(logged)
        assert url not in str(logged)
        status = 201
        await keeping.round()
    # A place that never had one gets the newest, which holds all before it.
    assert [path for path, _, _ in got] == [
        "/log/000000000004.note", "/log/000000000006.note", "/log/000000000006.note"
    ]  # fmt: skip
    assert {bearer for _, bearer, _ in got} == {"Bearer s3cret-bearer"}
    assert got[-1][2] == (keeping.published / "checkpoint").read_bytes()


async def test_what_an_address_missed_while_it_was_away_is_published_when_it_is_back(
    keeping: Keeping,
) -> None:
    got: list[str] = []
    there = True

    async def put(request: web.Request) -> web.Response:
        if there:
            got.append(request.path)
        return web.Response(status=200 if there else 500)

    app = web.Application()
    app.router.add_put("/{name}", put)
    async with serving(app) as url:
        keeping.places = [Address(url, SecretStr(""))]
        for away in (False, True, True, False):
            there = not away
            await keeping.acts(1)
            await keeping.round()
    assert got == [f"/{size:012}.note" for size in (4, 6, 8, 10)]


async def test_a_channel_shows_the_note_as_it_is(keeping: Keeping) -> None:
    async with Rehearsal([BOT], clock=Clock(start=1_800_000_000.0)) as telegram:
        reader = telegram.person("Reader")
        await reader.sends("/start")
        keeping.places = [Channel(str(await reader.id()), SecretStr(BOT), telegram.url)]
        await keeping.acts(2)
        await keeping.round()
        shown = await reader.sees(ORIGIN)
        (row,) = await keeping.rows("SELECT note FROM custody_checkpoints")
        assert shown.text == row["note"].decode().rstrip("\n")
        copied = keeping.folder / "copied.txt"
        copied.write_text(shown.text)
    found = keeping.verifies(await keeping.dumps(), copied, log_keys=[keeping.log.vkey])
    assert found.holds, found.text()


async def test_a_channel_that_refuses_is_told_without_its_token(keeping: Keeping) -> None:
    async with Rehearsal([BOT], clock=Clock(start=1_800_000_000.0)) as telegram:
        keeping.places = [Channel("@nobody_here", SecretStr(BOT), telegram.url)]
        await keeping.acts(1)
        with capture_logs() as logged:
            await keeping.round()
    assert "a checkpoint could not be published" in {entry["event"] for entry in logged}
    assert BOT not in str(logged)
    assert await sizes(keeping, "custody_publications") == []
    assert BOT not in repr(keeping.places)


# ---- witnesses -----------------------------------------------------------------------------------


async def test_a_witness_line_is_kept_if_it_is_one_of_ours(grown: Keeping) -> None:
    witness = Signer("witness.example.org/w1", Ed25519PrivateKey.generate())
    note = (grown.published / "000000000019.note").read_bytes()
    cosigned = note + notes.cosign(note, witness, at=1_936_000_000)
    kept = await take_cosignatures(grown.team.connection, cosigned, [witness.witness_vkey], grown.now)
    assert (kept.size, kept.witnesses) == (19, [witness.name])
    again = await take_cosignatures(grown.team.connection, cosigned, [witness.witness_vkey], grown.now)
    assert again.witnesses == []
    dumped = await grown.dumps()
    assert (dumped / "checkpoints" / "000000000019.note").read_bytes() == cosigned
    found = grown.verifies(dumped, witnesses=[witness.witness_vkey])
    assert found.holds, found.text()
    assert "Witness witness.example.org/w1: saw 19 leaves of this log." in found.text()


async def test_a_witness_line_that_is_not_one_is_refused(grown: Keeping) -> None:
    witness, other = (Signer(f"w{n}.example.org", Ed25519PrivateKey.generate()) for n in (1, 2))
    note = (grown.published / "000000000019.note").read_bytes()
    keys = [witness.witness_vkey]
    with pytest.raises(UnsignedNoteError):
        await take_cosignatures(grown.team.connection, note, keys, grown.now)
    stranger = note + notes.cosign(note, other, at=1)
    with pytest.raises(UnsignedNoteError):
        await take_cosignatures(grown.team.connection, stranger, keys, grown.now)
    with pytest.raises(MalformedNoteError):
        await take_cosignatures(grown.team.connection, b"nothing", keys, grown.now)
    assert await refusals(grown) == []
    line = notes.cosign(note, witness, at=1)
    elsewhere = (grown.published / "000000000011.note").read_bytes() + line
    with pytest.raises(ForgedNoteError):
        await take_cosignatures(grown.team.connection, elsewhere, keys, grown.now)
    theirs = notes.sign(Checkpoint(ORIGIN, 19, bytes(32)).text(), witness)
    with pytest.raises(ForgedNoteError, match="no checkpoint that the keeper made"):
        await take_cosignatures(grown.team.connection, theirs + line, keys, grown.now)
    assert await refusals(grown) == ["forged checkpoint"] * 2
    assert await grown.rows("SELECT 1 FROM custody_cosignatures") == []


# ---- time stamps ---------------------------------------------------------------------------------


async def test_each_checkpoint_is_stamped_and_openssl_agrees(keeping: Keeping, tmp_path: Path) -> None:
    async with authority(tmp_path / "tsa") as tsa:
        keeping.authorities, keeping.roots = [Authority.of(tsa.url)], timestamps.read_roots(tsa.root)
        for _ in range(2):
            await keeping.acts(2)
            await keeping.round()
        await keeping.round()
        assert len(tsa.asked) == 2
    await keeping.names_log()
    dumped = await keeping.dumps()
    found = keeping.verifies(dumped, roots=keeping.roots)
    assert found.holds, found.text()
    assert "10 leaves existed at 2" in found.text()
    token, *_ = sorted((dumped / "timestamps").iterdir())
    note = dumped / "checkpoints" / f"{token.name.partition('.')[0]}.note"
    assert b"OK" in openssl("ts", "-verify", "-in", token, "-data", note, "-CAfile", tsa.root)


@pytest.mark.parametrize("answers", ["refuses", "nonsense", "another"])
async def test_an_authority_that_fails_holds_up_nothing(
    keeping: Keeping, tmp_path: Path, answers: str
) -> None:
    async with authority(tmp_path / "tsa") as tsa:
        tsa.answers = answers
        away = Authority.of("http://127.0.0.1:9/tsr")
        keeping.authorities = [away, Authority.of(tsa.url)]
        keeping.roots = timestamps.read_roots(tsa.root)
        await keeping.acts(2)
        with capture_logs() as logged:
            await keeping.round()
            await keeping.round()
        assert [entry["event"] for entry in logged].count("a checkpoint could not be stamped") == 2
        assert await sizes(keeping, "custody_publications") == [6]
        assert await sizes(keeping, "custody_timestamps") == []
        tsa.answers = "well"
        await keeping.round()
    assert await sizes(keeping, "custody_timestamps") == [6]


async def test_a_stamp_that_no_root_vouches_for_is_not_kept(keeping: Keeping, tmp_path: Path) -> None:
    async with authority(tmp_path / "tsa") as tsa, authority(tmp_path / "stranger") as stranger:
        keeping.authorities, keeping.roots = [Authority.of(stranger.url)], timestamps.read_roots(tsa.root)
        await keeping.acts(1)
        await keeping.round()
        assert await sizes(keeping, "custody_timestamps") == []
        keeping.roots = timestamps.read_roots(stranger.root)
        keeping.starts_anew()
        await keeping.round()
        (row,) = await keeping.rows(
            "SELECT t.token, c.note FROM custody_timestamps t JOIN custody_checkpoints c USING (size)"
        )
        assert stamped(row["token"], row["note"], keeping.roots) is not None
        for token, data, roots in (
            (row["token"], row["note"] + b"x", keeping.roots),
            (row["token"], row["note"], timestamps.read_roots(tsa.root)),
            (row["token"][:-1], row["note"], keeping.roots),
            (row["token"][:900] + b"\0" + row["token"][901:], row["note"], keeping.roots),
            (b"", row["note"], keeping.roots),
        ):
            with pytest.raises(TimestampError):
                stamped(token, data, roots)
        dumped = await keeping.dumps()
        log_keys = [keeping.log.vkey]
        assert keeping.verifies(dumped, log_keys=log_keys, roots=keeping.roots).holds
        found = keeping.verifies(dumped, log_keys=log_keys, roots=timestamps.read_roots(tsa.root))
        assert faults(found) == ["wrong time stamp"]


def test_the_name_of_an_authority_holds_no_password() -> None:
    assert (
        Authority.of("https://user:secret@tsa.example.org:8443/a/tsr?k=1").name
        == "tsa.example.org-8443-a-tsr"
    )


def test_a_file_of_roots_holds_a_root(tmp_path: Path) -> None:
    with pytest.raises(TimestampError, match="cannot be read"):
        timestamps.read_roots(tmp_path / "nowhere.pem")
    (tmp_path / "empty.pem").write_text("nothing")
    with pytest.raises(TimestampError, match="no root certificate"):
        timestamps.read_roots(tmp_path / "empty.pem")
