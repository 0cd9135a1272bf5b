"""What we seal opens with implementations of age that are not ours, and what they seal opens with us.

The npm package `age-encryption` does all kinds; `pyrage` (Rust) and Debian's `age` (Go, before 1.3) do X25519 and
passphrases. We seal to hybrid keys and to passphrases alone; for theirs to read our header and payload with an X25519
key, the tests wrap the file key themselves (`peers.OlderRecipient`).
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pyrage
import pytest

import seal
from seal import (
    HybridIdentity,
    ScryptIdentity,
    ScryptRecipient,
    WrongKeyError,
    X25519Identity,
    parse_identity,
)
from seal.padding import pad_json
from tests.seal.peers import NPM, NpmAge, OlderRecipient, debian_age, npm_age

CHUNK = 64 * 1024
PASSPHRASE = "lantern-orchard-seven-quiet-bridge-maple-winter"
LENGTHS = (0, 1, 4096, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 300_001)
SMALL = b"Halyna, nine, last seen in Oleshky"


def texts() -> list[bytes]:
    return [os.urandom(length) for length in LENGTHS]


@pytest.fixture(scope="session")
def npm(run_folder: Path) -> NpmAge:
    return npm_age(run_folder)


@pytest.fixture(scope="session")
def debian() -> Callable[..., tuple[int, str]]:
    if not shutil.which("age") and not os.environ.get("CI"):
        pytest.skip("Debian's age is not there to open what we seal: apt install age")
    return debian_age


def ours(data: bytes, *recipients: seal.Recipient | OlderRecipient, armored: bool) -> bytes:
    sealed = seal.seal_bytes(data, recipients)  # type: ignore[arg-type]  # an older one only here
    return seal.armor(sealed) if armored else sealed


armors = pytest.mark.parametrize("armored", [False, True], ids=["binary", "armored"])


# ---- npm age-encryption ---------------------------------------------------------------------------------


def test_the_package_s_lock_names_no_registry() -> None:
    assert "resolved" not in (NPM / "package-lock.json").read_text()


@armors
def test_npm_opens_what_we_seal_to_a_hybrid_key(npm: NpmAge, armored: bool) -> None:  # noqa: FBT001 - a case
    me, plain = HybridIdentity.generate(), texts()
    keys = {"identities": [me.reveal()]}
    jobs = [{"act": "open", "data": ours(one, me.recipient, armored=armored), **keys} for one in plain]
    assert npm.does(*jobs) == plain


def test_npm_opens_with_each_key_that_we_sealed_to_and_with_no_other(npm: NpmAge) -> None:
    people = [HybridIdentity.generate() for _ in range(3)]
    sealed = ours(SMALL, *(one.recipient for one in people), armored=False)
    jobs = [{"act": "open", "data": sealed, "identities": [one.reveal()]} for one in people]
    other = {"act": "open", "data": sealed, "identities": [HybridIdentity.generate().reveal()]}
    damaged = {**jobs[0], "data": sealed[:-1] + bytes([sealed[-1] ^ 1])}
    cut = {**jobs[0], "data": sealed[:-1]}
    assert npm.does(*jobs, other, damaged, cut) == [SMALL] * 3 + [None] * 3


@armors
def test_we_open_what_npm_seals_to_a_hybrid_key(npm: NpmAge, armored: bool) -> None:  # noqa: FBT001
    me, plain = HybridIdentity.generate(), texts()
    to = {"recipients": [str(me.recipient)], "armored": armored}
    for sealed, one in zip(
        npm.does(*({"act": "seal", "data": one, **to} for one in plain)), plain, strict=True
    ):
        assert sealed is not None
        assert seal.open_bytes(sealed, [me]) == one
        with pytest.raises(WrongKeyError):
            seal.open_bytes(sealed, [HybridIdentity.generate()])


@armors
def test_npm_opens_what_we_seal_under_a_passphrase(npm: NpmAge, armored: bool) -> None:  # noqa: FBT001
    sealed = ours(SMALL, ScryptRecipient(PASSPHRASE, 10), armored=armored)
    right, wrong = ({"act": "open", "data": sealed, "passphrase": one} for one in (PASSPHRASE, "lantern"))
    assert npm.does(right, wrong) == [SMALL, None]


@armors
def test_we_open_what_npm_seals_under_a_passphrase(npm: NpmAge, armored: bool) -> None:  # noqa: FBT001
    sealed = npm.one("seal", SMALL, passphrase=PASSPHRASE, armored=armored)
    assert sealed is not None
    assert seal.open_bytes(sealed, [ScryptIdentity(PASSPHRASE)]) == SMALL


@armors
def test_we_open_what_npm_seals_to_an_x25519_key(npm: NpmAge, armored: bool) -> None:  # noqa: FBT001
    them, plain = pyrage.x25519.Identity.generate(), texts()
    me = parse_identity(str(them))
    to = {"recipients": [str(them.to_public())], "armored": armored}
    for sealed, one in zip(
        npm.does(*({"act": "seal", "data": one, **to} for one in plain)), plain, strict=True
    ):
        assert sealed is not None
        assert seal.open_bytes(sealed, [me]) == one


@armors
def test_npm_opens_what_is_sealed_to_an_x25519_key(npm: NpmAge, armored: bool) -> None:  # noqa: FBT001
    them, plain = pyrage.x25519.Identity.generate(), texts()
    to, keys = OlderRecipient(str(them.to_public())), {"identities": [str(them)]}
    jobs = [{"act": "open", "data": ours(one, to, armored=armored), **keys} for one in plain]
    assert npm.does(*jobs) == plain


# ---- pyrage -----------------------------------------------------------------------------------------------


@armors
def test_we_open_what_pyrage_seals_to_an_x25519_key(armored: bool) -> None:  # noqa: FBT001
    them = pyrage.x25519.Identity.generate()
    me = parse_identity(str(them))
    assert isinstance(me, X25519Identity)
    for one in texts():
        assert seal.open_bytes(pyrage.encrypt(one, [them.to_public()], armored=armored), [me]) == one


@armors
def test_pyrage_opens_what_is_sealed_to_an_x25519_key(armored: bool) -> None:  # noqa: FBT001
    them = pyrage.x25519.Identity.generate()
    for one in texts():
        sealed = ours(one, OlderRecipient(str(them.to_public())), armored=armored)
        assert pyrage.decrypt(sealed, [them]) == one
        with pytest.raises(pyrage.DecryptError):
            pyrage.decrypt(sealed, [pyrage.x25519.Identity.generate()])


@armors
def test_pyrage_opens_what_we_seal_under_a_passphrase(armored: bool) -> None:  # noqa: FBT001
    for one in texts():
        sealed = ours(one, ScryptRecipient(PASSPHRASE, 8), armored=armored)
        assert pyrage.passphrase.decrypt(sealed, PASSPHRASE) == one
    with pytest.raises(pyrage.DecryptError):
        pyrage.passphrase.decrypt(ours(SMALL, ScryptRecipient(PASSPHRASE, 8), armored=armored), "lantern")


def test_we_open_what_pyrage_seals_under_a_passphrase() -> None:
    """Once: it takes a second of scrypt or more, as it finds right for the machine."""
    sealed = pyrage.passphrase.encrypt(SMALL, PASSPHRASE, armored=True)
    assert seal.open_bytes(sealed, [ScryptIdentity(PASSPHRASE)]) == SMALL


def test_pyrage_and_npm_refuse_what_is_for_somebody_else(npm: NpmAge) -> None:
    sealed = ours(SMALL, HybridIdentity.generate().recipient, armored=False)
    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(sealed, [pyrage.x25519.Identity.generate()])
    assert npm.one("open", sealed, identities=[str(pyrage.x25519.Identity.generate())]) is None


# ---- Debian's age -----------------------------------------------------------------------------------------


@armors
def test_debian_s_age_opens_what_we_seal_under_a_passphrase(
    debian: Callable[..., tuple[int, str]], tmp_path: Path, armored: bool  # noqa: FBT001
) -> None:  # fmt: skip
    sealed, opened = tmp_path / "sealed.age", tmp_path / "opened"
    plain = os.urandom(3 * CHUNK + 7)
    sealed.write_bytes(ours(plain, ScryptRecipient(PASSPHRASE, 10), armored=armored))
    status, shown = debian("-d", "-o", opened, sealed, answers=(PASSPHRASE,))
    assert status == 0, shown
    assert opened.read_bytes() == plain
    status, shown = debian("-d", "-o", tmp_path / "no", sealed, answers=("lantern",))
    assert status == 1
    assert "incorrect passphrase" in shown


@armors
def test_we_open_what_debian_s_age_seals_under_a_passphrase(
    debian: Callable[..., tuple[int, str]], tmp_path: Path, armored: bool  # noqa: FBT001
) -> None:  # fmt: skip
    plain, sealed = tmp_path / "plain", tmp_path / "sealed.age"
    plain.write_bytes(SMALL)
    flags = ["-a"] if armored else []
    status, shown = debian("-p", *flags, "-o", sealed, plain, answers=(PASSPHRASE, PASSPHRASE))
    assert status == 0, shown
    assert seal.open_bytes(sealed.read_bytes(), [ScryptIdentity(PASSPHRASE)]) == SMALL


@armors
def test_debian_s_age_opens_what_is_sealed_to_an_x25519_key(
    debian: Callable[..., tuple[int, str]], tmp_path: Path, armored: bool  # noqa: FBT001
) -> None:  # fmt: skip
    them = pyrage.x25519.Identity.generate()
    keys, sealed, opened = tmp_path / "keys.txt", tmp_path / "sealed.age", tmp_path / "opened"
    keys.write_text(f"# a comment\n{them}\n")
    for one in texts():
        sealed.write_bytes(ours(one, OlderRecipient(str(them.to_public())), armored=armored))
        opened.write_bytes(b"")  # of an empty file it writes none
        status, shown = debian("-d", "-i", keys, "-o", opened, sealed)
        assert status == 0, shown
        assert opened.read_bytes() == one


@armors
def test_we_open_what_debian_s_age_seals_to_an_x25519_key(
    debian: Callable[..., tuple[int, str]], tmp_path: Path, armored: bool  # noqa: FBT001
) -> None:  # fmt: skip
    them = pyrage.x25519.Identity.generate()
    plain, sealed = tmp_path / "plain", tmp_path / "sealed.age"
    flags = ["-a"] if armored else []
    for one in texts():
        plain.write_bytes(one)
        status, shown = debian("-r", str(them.to_public()), *flags, "-o", sealed, plain)
        assert status == 0, shown
        assert seal.open_bytes(sealed.read_bytes(), [parse_identity(str(them))]) == one


def test_a_member_s_identity_file_opens_at_a_terminal(
    debian: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    """Passphrases are generated as they are typed: small letters and hyphens."""
    identity, opened = HybridIdentity.generate(), tmp_path / "opened"
    sealed = tmp_path / "member.age"
    sealed.write_bytes(
        ours(f"{identity.reveal()}\n".encode(), ScryptRecipient(PASSPHRASE, 10), armored=False)
    )
    status, shown = debian("-d", "-o", opened, sealed, answers=(PASSPHRASE,))
    assert status == 0, shown
    body = ours(pad_json(SMALL), identity.recipient, armored=False)
    assert seal.open_bytes(body, [parse_identity(opened.read_text())]).rstrip(b" ") == SMALL
