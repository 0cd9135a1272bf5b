"""A time-stamp authority of this machine: `openssl ts` behind HTTP, with a root certificate made for the test."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

_CONFIG = """
[req]
distinguished_name = name
prompt = no
[name]
CN = {name}
[root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[stamps]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[tsa]
default_tsa = here
[here]
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
accuracy = secs:1
ess_cert_id_alg = sha256
"""


def openssl(*arguments: object, given: bytes = b"") -> bytes:
    """Runs it; what it writes to standard output."""
    ran = subprocess.run(
        ["openssl", *(str(one) for one in arguments)], input=given, capture_output=True, check=False
    )
    assert ran.returncode == 0, ran.stderr.decode()
    return ran.stdout


@dataclass
class Authority:
    """`answers` is what it does: "well", "refuses", "nonsense", "another" (stamps something else)."""

    folder: Path
    url: str = ""
    answers: str = "well"
    asked: list[bytes] = field(default_factory=list)

    @property
    def root(self) -> Path:
        return self.folder / "root.pem"

    def prepare(self, name: str = "Rehearsal root") -> None:
        """A root and a certificate that may stamp, for one day."""
        self.folder.mkdir()
        config = self.folder / "openssl.cnf"
        config.write_text(_CONFIG.format(name=name, folder=self.folder))
        (self.folder / "serial").write_text("01\n")
        key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-config", config)
        openssl("req", "-x509", *key, "-days", 1, "-extensions", "root", "-keyout", self.folder / "root.key",
                "-out", self.root)  # fmt: skip
        openssl("req", *key, "-subj", "/CN=Rehearsal stamps", "-keyout", self.folder / "tsa.key",
                "-out", self.folder / "tsa.csr")  # fmt: skip
        openssl("x509", "-req", "-in", self.folder / "tsa.csr", "-CA", self.root, "-CAkey", self.folder / "root.key",
                "-CAcreateserial", "-days", 1, "-extfile", config, "-extensions", "stamps",
                "-out", self.folder / "tsa.pem")  # fmt: skip

    async def stamp(self, request: web.Request) -> web.Response:
        query = await request.read()
        self.asked.append(query)
        if self.answers == "refuses":
            return web.Response(status=503)
        if self.answers == "nonsense":
            return web.Response(body=b"nonsense")
        if self.answers == "another":
            query = openssl("ts", "-query", "-data", self.root, "-sha256", "-cert")
        path = self.folder / f"{len(self.asked)}.tsq"
        path.write_bytes(query)
        config = self.folder / "openssl.cnf"
        reply = await asyncio.to_thread(openssl, "ts", "-reply", "-config", config, "-queryfile", path)
        return web.Response(body=reply, content_type="application/timestamp-reply")


@contextlib.asynccontextmanager
async def serving(app: web.Application) -> AsyncIterator[str]:
    """An HTTP server of this machine; its address."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@contextlib.asynccontextmanager
async def authority(folder: Path) -> AsyncIterator[Authority]:
    """At work."""
    made = Authority(folder)
    await asyncio.to_thread(made.prepare)
    app = web.Application()
    app.router.add_post("/tsr", made.stamp)
    async with serving(app) as address:
        made.url = f"{address}/tsr"
        yield made
