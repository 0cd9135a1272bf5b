"""Implementations of age that are not ours: the npm package `age-encryption`, and Debian's `age` at a terminal."""

import base64
import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from seal import base64 as seal_base64
from seal import bech32
from seal.header import Stanza

NPM = Path(__file__).parent / "npm"


class OlderRecipient:
    """An X25519 key to seal to (age.md, "The X25519 recipient type"). Only tests have one: nothing of ours seals so.

    With it our header and payload are read by implementations that have no hybrid keys yet.
    """

    def __init__(self, text: str) -> None:
        self._raw = bech32.decode(text)[1]

    def wrap(self, file_key: bytes) -> Stanza:
        once = X25519PrivateKey.generate()
        share = once.public_key().public_bytes_raw()
        secret = once.exchange(X25519PublicKey.from_public_bytes(self._raw))
        key = HKDF(SHA256(), 32, share + self._raw, b"age-encryption.org/v1/X25519").derive(secret)
        body = ChaCha20Poly1305(key).encrypt(bytes(12), file_key, None)
        return Stanza("X25519", (seal_base64.encode(share).decode(),), body)


class NpmAge:
    """The npm package, run by node."""

    def __init__(self, script: Path) -> None:
        self.script = script

    def does(self, *jobs: Mapping[str, Any]) -> list[bytes | None]:
        """What it makes of each job (`npm/age.mjs`); None for what it refuses."""
        asked = json.dumps([{**job, "data": base64.b64encode(job["data"]).decode()} for job in jobs])
        ran = subprocess.run(
            ["node", self.script], input=asked.encode(), capture_output=True, check=True, timeout=120
        )
        return [
            base64.b64decode(answer["data"]) if "data" in answer else None
            for answer in json.loads(ran.stdout)
        ]

    def one(self, act: str, data: bytes, **how: Any) -> bytes | None:
        return self.does({"act": act, "data": data, **how})[0]


def npm_age(run_folder: Path) -> NpmAge:
    """Installed once a run, as its lock says. Without npm the test says what it leaves out."""
    if not (shutil.which("npm") and shutil.which("node")) and not os.environ.get("CI"):
        pytest.skip("no implementation of others opens hybrid files: node and npm are not installed")
    folder = run_folder / "npm-age"
    with (run_folder / "npm-age.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "ready").exists():
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(NPM, folder, ignore=shutil.ignore_patterns("node_modules"))
            subprocess.run(
                ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--cache", folder / "cache"],
                cwd=folder, check=True, capture_output=True, timeout=300,
            )  # fmt: skip
            (folder / "ready").touch()
    return NpmAge(folder / "age.mjs")


def debian_age(*arguments: str | Path, answers: tuple[str, ...] = ()) -> tuple[int, str]:
    """Runs `age`; when it asks at its terminal, it is answered. Its exit status, and what the terminal showed."""
    terminal, side = os.openpty()
    # A session of its own, whose terminal this is: passphrases are asked at the terminal, never at standard input.
    asked = subprocess.Popen(
        ["setsid", "--ctty", "--wait", "age", *arguments], stdin=side, stdout=side, stderr=side
    )
    os.close(side)
    shown, left = b"", list(answers)
    try:
        while piece := _read(terminal):
            shown += piece
            if left and shown.rstrip().endswith(b":"):
                os.write(terminal, f"{left.pop(0)}\n".encode())
                shown += b"\n"
        return asked.wait(60), shown.decode()
    finally:
        asked.kill()
        asked.wait()
        os.close(terminal)


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # how Linux tells that the other side has closed it
        return b""
