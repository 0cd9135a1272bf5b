"""From the first act to a stranger's verification, by the command line alone; and what a court gets."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from admin import papers, timestamps
from admin.custody_heads import Trust
from admin.custody_proofs import ProofError, check, prove
from admin.custody_settings import CustodySettings
from admin.publishing import Address, Channel, Folder
from admin.settings import SettingsError, load
from admin.timestamps import Authority, TimestampError
from storage import custody, notes
from storage.errors import LogError
from storage.notes import Signer
from tests.admin.custody_kit import ORIGIN, Keeping
from tests.admin.stamping import authority
from tests.admin.test_cli import clean_environment, run, store

__all__ = ["clean_environment", "run", "store"]

ROOT = Path(__file__).parents[2]


@pytest.fixture
def told(
    clean_environment: pytest.MonkeyPatch, grown: Keeping, store: Any, tmp_path: Path
) -> pytest.MonkeyPatch:
    """The settings of the machine on which the keeper runs; the ceremony key's file is `key`."""
    clean_environment.setenv("DODOMU_LOG_ORIGIN", ORIGIN)
    pem = grown.team.made.ceremony_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    papers.write_private(tmp_path / "key", pem.decode())
    return clean_environment


def elsewhere(*arguments: object) -> subprocess.CompletedProcess[str]:
    """`python -m admin` on a machine that has no database and no setting."""
    command = [sys.executable, "-m", "admin", *(str(argument) for argument in arguments)]
    environment = {
        "PATH": os.environ["PATH"],
        "DODOMU_KEEPER_DATABASE_URL": "postgres://nobody@127.0.0.1:9/none",
    }
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=ROOT)


async def test_a_stranger_verifies_what_the_team_gives_out(
    run: Any, told: Any, grown: Keeping, tmp_path: Path
) -> None:
    del told
    named = await run("custody", "name-log", "--ceremony-key", tmp_path / "key")
    assert (named.status, named.err) == (0, "")
    assert grown.log.vkey in named.out
    await grown.acts(2)
    await grown.round()

    dumped = await run("custody", "dump", "--out", tmp_path / "out")
    assert (dumped.status, dumped.err) == (0, "")
    trust = ("--ceremony-public", grown.team.made.ceremony_public_hex)
    holds = elsewhere("custody", "verify", tmp_path / "out", "--checkpoints", grown.published, *trust)
    assert (holds.returncode, holds.stderr) == (0, "")
    assert "The log holds" in holds.stdout

    again = await run("custody", "dump", "--out", tmp_path / "out")
    assert (again.status, again.out) == (1, "")
    assert "is not empty" in again.err

    leaves = tmp_path / "out" / "leaves.ndjson"
    leaves.write_bytes(leaves.read_bytes().replace(b'"kind":"opened"', b'"kind":"claimed"', 1))
    broken = elsewhere("custody", "verify", tmp_path / "out", "--checkpoints", grown.published, *trust)
    assert broken.returncode == 1
    assert "THE LOG DOES NOT HOLD" in broken.stdout
    assert "changed leaf: leaf 4 is not what it was when it was numbered" in broken.stdout


async def test_nothing_in_a_dump_steers_the_readers_terminal(
    run: Any, told: Any, grown: Keeping, tmp_path: Path
) -> None:
    del told
    await run("custody", "dump", "--out", tmp_path / "out")
    (tmp_path / "out" / "checkpoints" / "\x1b[2J.note").write_text("nothing")
    key = grown.team.made.ceremony_public_hex
    found = await run("custody", "verify", tmp_path / "out", "--ceremony-public", key)
    assert found.status == 1
    assert "forged checkpoint: checkpoints/\ufffd[2J.note" in found.out


async def test_a_court_checks_the_acts_on_one_report(
    run: Any, told: Any, grown: Keeping, tmp_path: Path
) -> None:
    del told
    report, file = grown.reports[0], tmp_path / "proof.json"
    proven = await run("custody", "prove", report, "--out", file)
    assert (proven.status, proven.err) == (0, "")
    checked = elsewhere("custody", "check", file, "--ceremony-public", grown.team.made.ceremony_public_hex)
    assert (checked.returncode, checked.stderr) == (0, "")
    assert f"In the log {ORIGIN}, signed over 11 leaves:" in checked.stdout
    assert checked.stdout.count(f"object {report}") == 2
    by_key = elsewhere("custody", "check", file, "--log-key", grown.log.vkey)
    assert by_key.stdout == checked.stdout
    stranger = Signer(ORIGIN, Ed25519PrivateKey.generate()).vkey
    refused = elsewhere("custody", "check", file, "--log-key", stranger)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "no key that we know has signed this note" in refused.stderr
    again = await run("custody", "prove", report, "--out", file)
    assert "cannot be written" in again.err


async def test_a_witness_is_taken_by_the_command_line(
    run: Any, told: Any, grown: Keeping, tmp_path: Path
) -> None:
    witness = Signer("witness.example.org", Ed25519PrivateKey.generate())
    note = (grown.published / "checkpoint").read_bytes()
    (tmp_path / "cosigned").write_bytes(note + notes.cosign(note, witness, at=1_936_000_000))
    nobody = await run("custody", "cosign", tmp_path / "cosigned")
    assert "DODOMU_WITNESSES names no witness" in nobody.err
    told.setenv("DODOMU_WITNESSES", witness.witness_vkey)
    taken = await run("custody", "cosign", tmp_path / "cosigned")
    assert (taken.status, taken.out) == (0, "Kept for 27 leaves: witness.example.org.\n")
    assert "nothing new" in (await run("custody", "cosign", tmp_path / "cosigned")).out
    (tmp_path / "forged").write_bytes(note.replace(b"\n27\n", b"\n26\n") + notes.cosign(note, witness, at=1))
    forged = await run("custody", "cosign", tmp_path / "forged")
    assert (forged.status, forged.out) == (1, "")
    assert "no checkpoint that the keeper made" in forged.err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("verify", "nowhere"), "Say whom to believe"),
        (("verify", "nowhere", "--ceremony-public", "xyz"), "64 hexadecimal digits"),
        (("verify", "nowhere", "--log-key", "a+00000000+AAAA"), "A verifier key is not usable"),
        (("verify", "nowhere", "--ceremony-public", "00" * 32), "holds no dump of the custody log"),
        (("check", "nowhere", "--ceremony-public", "00" * 32), "cannot be read"),
        (("cosign", "nowhere"), "DODOMU_WITNESSES names no witness"),
    ],
)
async def test_what_is_in_the_way_is_told_in_a_sentence(
    run: Any, clean_environment: Any, arguments: tuple[str, ...], sentence: str
) -> None:
    del clean_environment
    ran = await run("custody", *arguments)
    assert (ran.status, ran.out) == (1, "")
    assert sentence in ran.err


# ---- proofs --------------------------------------------------------------------------------------


async def test_a_leaf_is_proven_by_its_number_and_all_acts_by_what_they_are_about(grown: Keeping) -> None:
    for index in range(27):
        checked = check(await prove(grown.team.connection, str(index)), grown.trust())
        assert list(checked.leaves) == [index]
        assert checked.checkpoint.size == (11 if index < 11 else 19 if index < 19 else 27)
    checked = check(await prove(grown.team.connection, str(grown.reports[5])), grown.trust())
    assert [leaf["kind"] for leaf in checked.leaves.values()] == ["receipt", "opened"]


async def test_what_no_checkpoint_holds_yet_cannot_be_proven(grown: Keeping) -> None:
    with pytest.raises(ProofError, match="No checkpoint holds this yet"):
        await prove(grown.team.connection, "28")
    with pytest.raises(ProofError, match="no leaf nothing"):
        await prove(grown.team.connection, "nothing")


def _other_leaf(proof: dict[str, Any]) -> None:
    proof["leaves"][0]["leaf"] = proof["leaves"][0]["leaf"].replace("2031", "2030")


def _other_index(proof: dict[str, Any]) -> None:
    proof["leaves"][0]["index"] += 1


def _other_path(proof: dict[str, Any]) -> None:
    proof["leaves"][0]["proof"][0] = "00" * 32


def _shorter_path(proof: dict[str, Any]) -> None:
    proof["leaves"][0]["proof"].pop()


def _other_checkpoint(proof: dict[str, Any]) -> None:
    proof["checkpoint"] = proof["checkpoint"].replace("\n11\n", "\n12\n")


def _other_format(proof: dict[str, Any]) -> None:
    proof["format"] = "dodomu custody proof 2"


def _other_manifest(proof: dict[str, Any]) -> None:
    proof["manifest"]["signature"] = "AAAA"


def _no_leaves(proof: dict[str, Any]) -> None:
    del proof["leaves"]


@pytest.mark.parametrize(
    "change",
    [_other_leaf, _other_index, _other_path, _shorter_path, _other_checkpoint, _other_format, _other_manifest,
     _no_leaves],
)  # fmt: skip
async def test_a_proof_that_was_changed_does_not_hold(
    grown: Keeping, change: Callable[[dict[str, Any]], None]
) -> None:
    proof = json.loads(await prove(grown.team.connection, "5"))
    assert check(json.dumps(proof).encode(), grown.trust()).leaves
    change(proof)
    with pytest.raises(ProofError):
        check(json.dumps(proof).encode(), grown.trust())


@pytest.mark.parametrize("content", [b"", b"[]", b"null", b"\xff", b'{"format":"dodomu custody proof 1"}'])
def test_what_is_no_proof_is_told_so(content: bytes) -> None:
    with pytest.raises(ProofError, match="no proof"):
        check(content, Trust())


async def test_a_proof_says_who_stamped_and_who_cosigned(grown: Keeping, tmp_path: Path) -> None:
    witness = Signer("witness.example.org", Ed25519PrivateKey.generate())
    async with authority(tmp_path / "tsa") as tsa:
        grown.authorities, grown.roots = [Authority.of(tsa.url)], timestamps.read_roots(tsa.root)
        grown.starts_anew()
        await grown.round()
    note = (grown.published / "checkpoint").read_bytes()
    line = notes.cosign(note, witness, at=1).rstrip(b"\n")
    await grown.team.connection.execute("INSERT INTO custody_cosignatures VALUES (31, 'w', $1)", line)
    proof = await prove(grown.team.connection, "3")
    trust = replace(grown.trust(roots=grown.roots), witnesses=[witness.witness_vkey])
    checked = check(proof, trust)
    assert checked.checkpoint.size == 31  # the first that is stamped
    assert list(checked.stamps) == [grown.authorities[0].name]
    assert list(checked.witnesses) == [witness.name]
    other = json.loads(proof)
    other["timestamps"][0]["token"] = "AAAA"
    with pytest.raises(ProofError, match="time stamp"):
        check(json.dumps(other).encode(), trust)


async def test_a_log_whose_tree_was_changed_gives_no_proof_that_holds(grown: Keeping) -> None:
    await grown.meddles('UPDATE custody_sequence SET leaf_hash = sha256(leaf_hash) WHERE "index" = 4')
    with pytest.raises((ProofError, LogError)):
        check(await prove(grown.team.connection, "5"), grown.trust())


async def test_an_empty_dump_is_made_of_a_log_that_has_nothing(keeping: Keeping) -> None:
    await keeping.meddles("DELETE FROM custody_leaves", "DELETE FROM manifests")
    dumped = await keeping.dumps()
    about = json.loads((dumped / "dump.json").read_bytes())
    assert {name: count for name, count in about.items() if isinstance(count, int)} == dict.fromkeys(
        ("leaves", "waiting", "items", "manifests", "checkpoints", "timestamps"), 0
    )
    assert about["hour"] == f"{custody.hour(keeping.now):%Y-%m-%dT%HZ}"


# ---- settings ------------------------------------------------------------------------------------


def test_without_any_setting_nothing_is_published(clean_environment: pytest.MonkeyPatch) -> None:
    del clean_environment
    settings = load(CustodySettings)
    assert (settings.places(), settings.authorities(), settings.roots()) == ([], [], [])
    assert settings.log_origin == "dodomu/custody"


def test_each_place_is_set_by_itself(clean_environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in {
        "CHECKPOINT_FOLDER": str(tmp_path),
        "CHECKPOINT_URL": "https://log.example.org/dodomu",
        "CHECKPOINT_URL_TOKEN": "s3cret-bearer",
        "CHECKPOINT_CHANNEL": "@dodomu_checkpoints",
        "CHECKPOINT_BOT_TOKEN": "123456:ABCDEF",
        "TIMESTAMP_AUTHORITIES": "http://tsa.example.org/tsr https://other.example.org",
    }.items():
        clean_environment.setenv(f"DODOMU_{name}", value)
    settings = load(CustodySettings)
    places = settings.places()
    assert [type(place) for place in places] == [Folder, Address, Channel]
    assert "s3cret" not in repr((settings, places))
    assert "ABCDEF" not in repr((settings, places))
    assert [one.name for one in settings.authorities()] == ["tsa.example.org-tsr", "other.example.org"]
    with pytest.raises(SettingsError, match="DODOMU_TIMESTAMP_ROOTS is not set"):
        settings.roots()
    clean_environment.setenv("DODOMU_TIMESTAMP_ROOTS", str(tmp_path / "nowhere.pem"))
    with pytest.raises(TimestampError, match="cannot be read"):
        load(CustodySettings).roots()
    clean_environment.delenv("DODOMU_CHECKPOINT_BOT_TOKEN")
    with pytest.raises(SettingsError, match="belong together"):
        load(CustodySettings).places()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LOG_ORIGIN", "two words"),
        ("CHECKPOINT_MINUTES", "0"),
        ("CHECKPOINT_URL", "http://log.example.org/"),
        ("CHECKPOINT_URL", "log.example.org"),
        ("CHECKPOINT_CHANNEL", "my channel"),
        ("CHECKPOINT_BOT_TOKEN", "secret-of-mine"),
        ("API_BASE", "api.example.org"),
        ("WITNESSES", "w+00000000+AAAA"),
        ("TIMESTAMP_AUTHORITIES", "tsa.example.org"),
    ],
)
def test_a_setting_that_is_not_usable_is_named_and_not_repeated(
    clean_environment: pytest.MonkeyPatch, name: str, value: str
) -> None:
    clean_environment.setenv(f"DODOMU_{name}", value)
    with pytest.raises(SettingsError, match=f"^DODOMU_{name} is not usable. Expected: ") as refused:
        load(CustodySettings)
    assert value == "0" or value not in str(refused.value)
