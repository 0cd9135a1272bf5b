"""A ceremony held without a network: what is carried to the server is not secret, and is kept only if it is whole."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import rfc8785

from admin import ceremony, ceremony_commands, offline, papers
from admin.ceremony import COMPARTMENTS, TEAM, CeremonyError, Made
from admin.keys import open_team_identity
from admin.offline import PUBLIC_FILE
from storage import manifest, members, roles
from storage.manifest import SeenSerial
from storage.members import RECOVERY
from tests.admin.test_cli import clean_environment, run, store

__all__ = ["clean_environment", "run", "store"]

TODAY = date(2031, 5, 6)


@pytest.fixture
def made() -> Made:
    return ceremony.make(TODAY)


@pytest.fixture
def carried(made: Made, tmp_path: Path) -> Path:
    path = tmp_path / PUBLIC_FILE
    path.write_text(offline.to_text(made))
    return path


async def test_it_needs_no_database_and_carries_nothing_secret(
    run: Any, clean_environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    clean_environment.setenv("DODOMU_KEEPER_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nowhere")
    held = await run("ceremony", "--offline", "--out", tmp_path / "papers")
    assert (held.status, held.err) == (0, "")
    assert not (tmp_path / "state").exists()
    carried = (tmp_path / "papers" / PUBLIC_FILE).read_text()
    key = ceremony.read_ceremony_key(tmp_path / "papers" / papers.CEREMONY_FILE)
    recovery = ceremony.read_recovery(tmp_path / "papers" / papers.RECOVERY_FILE)
    seeds = (key.private_bytes_raw(), papers.seed_of(recovery))
    for secret in (recovery.reveal(), *(seed.hex() for seed in seeds)):
        assert secret.lower() not in carried.lower()
        assert secret.lower() not in held.out.lower()
    assert "names no relay identity" in held.out


async def test_what_was_carried_is_kept_and_the_papers_open_it(run: Any, store: Any, tmp_path: Path) -> None:
    folder = tmp_path / "papers"
    await run("ceremony", "--offline", "--out", folder)
    taken = await run("ceremony", "--take", folder / PUBLIC_FILE)
    assert (taken.status, taken.err) == (0, "")
    key = ceremony.read_ceremony_key(folder / papers.CEREMONY_FILE).public_key()
    assert f"DODOMU_CEREMONY_KEY={key.public_bytes_raw().hex()}\n" in taken.out
    connection = await asyncpg.connect(store.url(roles.KEEPER))
    try:
        kept = await manifest.newest(connection, key, SeenSerial(tmp_path / "seen-by-the-test"))
        recovery = ceremony.read_recovery(folder / papers.RECOVERY_FILE)
        for name in COMPARTMENTS:
            sealed = await members.team_key(connection, name, 1, RECOVERY)
            assert sealed is not None
            open_team_identity(sealed, recovery, kept.compartments[name])
        leaves = [
            json.loads(row["leaf"]) for row in await connection.fetch("SELECT leaf FROM custody_leaves")
        ]
    finally:
        await connection.close()
    assert [(leaf["kind"], leaf["object"]) for leaf in leaves] == [
        ("manifest", "1"),
        ("ceremony", key.public_bytes_raw().hex()),
    ]
    added = await run(
        "member", "add", "swift", "--role", "lead",
        "--ceremony-key", folder / papers.CEREMONY_FILE, "--recovery", folder / papers.RECOVERY_FILE,
    )  # fmt: skip
    assert (added.status, added.err) == (0, "")


async def test_the_relay_identity_is_named_offline_too(
    run: Any, store: Any, tmp_path: Path, made: Made
) -> None:
    relay = made.recovery.recipient
    await run("ceremony", "--offline", "--out", tmp_path / "papers", "--relay", relay)
    public = offline.read(tmp_path / "papers" / PUBLIC_FILE)
    assert public.manifest.relay == str(relay)


async def test_it_is_taken_once_and_never_beside_another(run: Any, store: Any, tmp_path: Path) -> None:
    for name in ("first", "second"):
        await run("ceremony", "--offline", "--out", tmp_path / name)
    assert (await run("ceremony", "--take", tmp_path / "first" / PUBLIC_FILE)).status == 0
    again = await run("ceremony", "--take", tmp_path / "first" / PUBLIC_FILE)
    assert (again.status, again.out) == (1, "")
    assert again.err == "This ceremony was taken in already. Nothing was changed.\n"
    other = await run("ceremony", "--take", tmp_path / "second" / PUBLIC_FILE)
    assert (other.status, other.out) == (1, "")
    assert "already held" in other.err
    connection = await asyncpg.connect(store.url(roles.KEEPER))
    try:
        assert await connection.fetchval("SELECT count(*) FROM manifests") == 1
        assert await connection.fetchval("SELECT count(*) FROM custody_leaves") == 2
    finally:
        await connection.close()


async def test_a_file_of_another_ceremony_than_the_settings_name_is_refused(
    run: Any, store: Any, clean_environment: pytest.MonkeyPatch, carried: Path, made: Made
) -> None:
    stranger = ceremony.make(TODAY)
    clean_environment.setenv("DODOMU_CEREMONY_KEY", stranger.ceremony_public_hex)
    refused = await run("ceremony", "--take", carried)
    assert (refused.status, refused.out) == (1, "")
    assert "another ceremony than the key in DODOMU_CEREMONY_KEY" in refused.err
    clean_environment.setenv("DODOMU_CEREMONY_KEY", made.ceremony_public_hex)
    assert (await run("ceremony", "--take", carried)).status == 0


async def test_at_a_terminal_the_key_is_compared_with_the_paper(
    run: Any, store: Any, clean_environment: pytest.MonkeyPatch, carried: Path, made: Made
) -> None:
    clean_environment.setattr(ceremony_commands, "asks", lambda: True)
    refused = await run("ceremony", "--take", carried, typed="00000000\n")
    assert refused.status == 1
    assert "another ceremony than the paper" in refused.err
    digits = made.ceremony_public_hex[:8].upper()
    assert (await run("ceremony", "--take", carried, typed=f"{digits}\n")).status == 0


# ---- bad input --------------------------------------------------------------------------------------

CUT_SHORT = "or was cut short on its way"
NOT_SIGNED = "the ceremony key did not sign this"


def content(text: str) -> dict[str, Any]:
    return dict(json.loads(text)["content"])


def changed(**changes: Any) -> Callable[[str], str]:
    def change(text: str) -> str:
        file = json.loads(text)
        file["content"].update(changes)
        return json.dumps(file)

    return change


def instead(text: str) -> Callable[[str], str]:
    return lambda _: text


def of_two_ceremonies(part: str) -> Callable[[str], str]:
    def mix(text: str) -> str:
        return changed(**{part: content(offline.to_text(ceremony.make(TODAY)))[part]})(text)

    return mix


def with_another_team_key(text: str) -> str:
    keys = content(text)["team_keys"]
    return changed(team_keys=[{**keys[0], "sealed": keys[1]["sealed"]}, *keys[1:]])(text)


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (instead(""), CUT_SHORT),
        (lambda text: text[: len(text) // 2], CUT_SHORT),
        (lambda text: text[:-3], CUT_SHORT),
        (instead("[]"), CUT_SHORT),
        (instead("not json"), CUT_SHORT),
        (instead("\x00" * 100), CUT_SHORT),
        (instead("[" * 100_000), CUT_SHORT),
        (lambda text: text.replace("public 1", "public 2"), CUT_SHORT),
        (changed(more="than this version knows"), CUT_SHORT),
        (changed(ceremony_key="ab"), CUT_SHORT),
        (changed(ceremony_key="no digits"), CUT_SHORT),
        (changed(team_keys=[{"compartment": TEAM, "epoch": 1, "sealed": "no base64!"}]), CUT_SHORT),
        (changed(team_keys=[{"compartment": TEAM, "epoch": "1", "sealed": ""}]), CUT_SHORT),
        (changed(team_keys=[]), NOT_SIGNED),
        (with_another_team_key, NOT_SIGNED),
        (lambda text: text.replace("age1pq1", "age1pq2", 1), NOT_SIGNED),
        (of_two_ceremonies("manifest"), NOT_SIGNED),
        (of_two_ceremonies("manifest_signature"), NOT_SIGNED),
        (of_two_ceremonies("ceremony_key"), NOT_SIGNED),
        (of_two_ceremonies("team_keys"), NOT_SIGNED),
        (lambda text: json.dumps({**json.loads(text), "signature": "00" * 64}), NOT_SIGNED),
    ],
)  # fmt: skip
def test_a_file_that_is_not_as_it_was_made_is_refused(
    carried: Path, damage: Callable[[str], str], told: str
) -> None:
    carried.write_text(damage(carried.read_text()))
    with pytest.raises(CeremonyError, match=told):
        offline.read(carried)


def test_bytes_that_are_no_text_and_a_paper_in_its_place_are_told(
    carried: Path, made: Made, tmp_path: Path
) -> None:
    carried.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CeremonyError, match=CUT_SHORT):
        offline.read(carried)
    with (
        papers.written(made.ceremony_key, made.recovery, tmp_path / "papers") as files,
        pytest.raises(CeremonyError, match=CUT_SHORT),
    ):
        offline.read(files.recovery)
    with pytest.raises(CeremonyError, match="cannot be read"):
        offline.read(tmp_path / "gone")


def signed_anew(made: Made, text: str, **changes: Any) -> str:
    """As somebody could make it who has the ceremony key."""
    file = json.loads(text)
    other = manifest.Manifest.model_validate({**json.loads(made.signed.body), **changes})
    signed = manifest.sign(other, made.ceremony_key)
    file["content"] |= {"manifest": signed.body.decode(), "manifest_signature": signed.signature.hex()}
    said = b"dodomu ceremony public v1\n" + rfc8785.dumps(file["content"])
    return json.dumps({**file, "signature": made.ceremony_key.sign(said).hex()})


@pytest.mark.parametrize(
    "changes",
    [
        {"serial": 2},
        {"members": {"someone": {"recipient": "age1", "signing_key": "00"}}},
        {"routing": {"family": "nowhere"}},
        {"places": {"UA65": "nowhere"}},
        {"recovery": "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"},
        {"recovery": ""},
        {"relay": "nobody"},
        {"compartments": {}},
        {"compartments": {TEAM: {"epoch": 1, "recipient": "nobody"}}},
    ],
    ids=str,
)
def test_what_no_ceremony_makes_is_refused_even_if_it_is_signed(
    carried: Path, made: Made, changes: dict[str, Any]
) -> None:
    carried.write_text(signed_anew(made, carried.read_text(), **changes))
    with pytest.raises(CeremonyError, match="does not hold together"):
        offline.read(carried)


def test_what_is_signed_anew_without_a_change_is_read(carried: Path, made: Made) -> None:
    carried.write_text(signed_anew(made, carried.read_text()))
    assert offline.read(carried).manifest == made.manifest


async def test_the_public_file_is_never_overwritten_and_then_no_papers_are_left(
    run: Any, clean_environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / PUBLIC_FILE).write_text("of another ceremony")
    refused = await run("ceremony", "--offline", "--out", folder)
    assert (refused.status, refused.out) == (1, "")
    assert "is there already" in refused.err
    assert [path.name for path in folder.iterdir()] == [PUBLIC_FILE]


@pytest.mark.parametrize(
    "arguments",
    [
        ("--out", "x", "--take", "y"),
        ("--relay", "x", "--take", "y"),
        ("--offline",),
        ("--offline", "--take", "y"),
    ],
)
async def test_ways_that_do_not_go_together_are_told(run: Any, arguments: tuple[str, ...]) -> None:
    ran = await run("ceremony", *arguments)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith("usage: python -m admin ceremony")
