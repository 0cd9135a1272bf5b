"""Checkpoints and proofs hold before a program that is not ours: Go's sumdb/note and sumdb/tlog (`witness/main.go`)."""

import base64
import json
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from storage import merkle, notes
from storage.notes import Checkpoint, Signer

SOURCES = Path("/usr/share/gocode")  # where Debian's golang-golang-x-mod-dev puts them
LOG = Signer("log.example/dodomu", Ed25519PrivateKey.generate())
LEAVES = [b'{"kind":"opened","v":1,"object":"%d"}' % number for number in range(300)]
HASHES = [merkle.leaf_hash(leaf) for leaf in LEAVES]
OLD, AT = 131, 77


@pytest.fixture(scope="session")
def witness(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program, built from what Debian has, without the network."""
    there = shutil.which("go") and (SOURCES / "src/golang.org/x/mod/sumdb/tlog").is_dir()
    if not there and not os.environ.get("CI"):
        pytest.skip(
            "no program of others checks the log: on Debian, apt install golang-go golang-golang-x-mod-dev"
        )
    folder = tmp_path_factory.mktemp("witness")
    subprocess.run(
        ["go", "build", "-o", folder / "witness", Path(__file__).parent / "witness/main.go"],
        env={
            "PATH": os.environ["PATH"],
            "GO111MODULE": "off",
            "GOPATH": str(SOURCES),
            "GOPROXY": "off",
            "GOCACHE": str(folder / "cache"),
            "CGO_ENABLED": "0",
        },
        check=True,
    )
    return folder / "witness"


def says(witness: Path, *asked: dict[str, Any]) -> list[str]:
    """What it answers to each."""
    lines = "".join(json.dumps(one) + "\n" for one in asked)
    done = subprocess.run([witness], input=lines, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def a_note(size: int, *, signer: Signer = LOG, root: bytes | None = None) -> str:
    head = Checkpoint(LOG.name, size, root or merkle.root(HASHES[:size]))
    return notes.sign(head.text(), signer).decode()


def encoded(proof: list[bytes]) -> list[str]:
    return [base64.b64encode(one).decode() for one in proof]


def a_question(**changes: Any) -> dict[str, Any]:
    """The whole of what a stranger may ask: a head, a leaf in it, and an older head."""
    return {
        "vkey": LOG.vkey,
        "note": a_note(len(LEAVES)),
        "leaf": base64.b64encode(LEAVES[AT]).decode(),
        "index": AT,
        "inclusion": encoded(merkle.inclusion(HASHES, AT)),
        "older": a_note(OLD),
        "consistency": encoded(merkle.consistency(HASHES, OLD)),
        **changes,
    }


def test_what_we_publish_is_accepted(witness: Path) -> None:
    asked = [a_question()]
    for size in range(1, len(LEAVES) + 1):
        hashes = HASHES[:size]
        at, old = size * 7 % size, 1 + size * 5 % size
        asked.append(
            a_question(
                note=a_note(size),
                leaf=base64.b64encode(LEAVES[at]).decode(),
                index=at,
                inclusion=encoded(merkle.inclusion(hashes, at)),
                older=a_note(old),
                consistency=encoded(merkle.consistency(hashes, old)),
            )
        )
    assert says(witness, *asked) == ["ok"] * len(asked)


def test_a_note_with_the_lines_of_witnesses_is_still_the_log_s(witness: Path) -> None:
    note = a_note(len(LEAVES)).encode()
    other = Signer("witness.example/w1", Ed25519PrivateKey.generate())
    cosigned = note + notes.cosign(note, other, at=1_700_000_000)
    assert says(witness, a_question(note=cosigned.decode())) == ["ok"]


def test_each_forgery_is_refused(witness: Path) -> None:
    stranger = Signer(LOG.name, Ed25519PrivateKey.generate())
    proof, growth = merkle.inclusion(HASHES, AT), merkle.consistency(HASHES, OLD)
    other_past = [merkle.leaf_hash(b"another"), *HASHES[1:OLD]]
    body, _, signature = a_note(len(LEAVES)).rpartition("\n\n")
    forged = {
        "another key": {"vkey": stranger.vkey},
        "a note of another key": {"note": a_note(len(LEAVES), signer=stranger)},
        "a note without its signature": {"note": body + "\n\n"},
        "another size under the same signature": {"note": f"{body.replace('300', '301')}\n\n{signature}"},
        "another head, well signed": {"note": a_note(len(LEAVES), root=bytes(32))},
        "another leaf": {"leaf": base64.b64encode(LEAVES[AT + 1]).decode()},
        "a leaf with a flipped bit": {"leaf": base64.b64encode(bytes([LEAVES[AT][0] ^ 1]) + LEAVES[AT][1:]).decode()},
        "another index": {"index": AT + 1},
        "an index outside": {"index": len(LEAVES)},
        "a proof cut short": {"inclusion": encoded(proof[:-1])},
        "a proof too long": {"inclusion": encoded([*proof, proof[0]])},
        "a proof with a hash changed": {"inclusion": encoded([bytes(32), *proof[1:]])},
        "an older head of another log": {"older": a_note(OLD, root=merkle.root(other_past))},
        "an older head of another key": {"older": a_note(OLD, signer=stranger)},
        "a newer head as the older": {"older": a_note(OLD + 1)},
        "a growth cut short": {"consistency": encoded(growth[:-1])},
        "a growth with a hash changed": {"consistency": encoded([*growth[:-1], bytes(32)])},
    }  # fmt: skip
    answers = says(witness, *(a_question(**change) for change in forged.values()))
    assert len(answers) == len(forged)
    assert [name for name, answer in zip(forged, answers, strict=True) if answer == "ok"] == []


def test_a_key_under_another_name_is_another_key(witness: Path) -> None:
    renamed = replace(LOG, name="log.example/other")
    (answer,) = says(witness, a_question(vkey=renamed.vkey))
    assert answer != "ok"
