"""When this software is gone: docs/keys.md's own lines, run in a shell, open evidence with nothing of ours.

What is at hand: the database's own client, a shell, a public tool in the place of `age` (the npm package, for Debian's
age does not open hybrid files yet), and either the recovery paper or one member's passphrase.
"""

import json
import re
import subprocess
import urllib.parse
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from admin import members, papers
from admin.ceremony import CHILD, TEAM
from storage import programs
from storage.manifest import SeenSerial
from tests.admin import anew
from tests.admin.anew import NOW, Store
from tests.conftest import Database
from tests.seal.peers import NpmAge, npm_age

REPOSITORY = Path(__file__).parents[2]
PHOTO = b"a house with a blue door" * 999


@pytest.fixture(scope="session")
def npm(run_folder: Path) -> NpmAge:
    return npm_age(run_folder)


@pytest.fixture
async def store(fresh_database: Database, tmp_path: Path) -> AsyncIterator[Store]:
    async with anew.opened_store(fresh_database, tmp_path) as opened:
        yield opened


def chapters() -> tuple[str, str, str, str]:
    """The lines for a shell: by recovery, by passphrase, a report, a file."""
    text = (REPOSITORY / "docs/keys.md").read_text(encoding="utf-8")
    chapter = text.split("## When this software is gone\n")[1].split("\n## ")[0]
    blocks = re.findall(r"```sh\n(.*?)```", chapter, re.DOTALL)
    by_recovery, by_passphrase, report, file = blocks
    return by_recovery, by_passphrase, report, file


class Keeper:
    """A person at a machine of their own, with a folder, the papers and the two tools."""

    def __init__(self, store: Store, npm: NpmAge) -> None:
        self.folder = store.folder / "elsewhere"
        tools = self.folder / "tools"
        tools.mkdir(parents=True)
        age = tools / "age"
        age.write_text(f'#!/bin/sh\nexec node "{npm.script}" "$@"\n')
        age.chmod(0o700)
        at = urllib.parse.urlsplit(store.database.superuser_url)
        told = dict(urllib.parse.parse_qsl(at.query))
        self.environment = {
            "PATH": f"{tools}:{programs.binaries()}:/usr/local/bin:/usr/bin:/bin",
            "PGHOST": told.get("host") or at.hostname or "",
            "PGPORT": told.get("port") or str(at.port or 5432),
            "PGUSER": urllib.parse.unquote(at.username or ""),
            "PGPASSWORD": urllib.parse.unquote(at.password or ""),
            "PGDATABASE": at.path.strip("/"),
            "blobs": str(store.folder / "blobs"),
        }

    def runs(self, lines: str, typed: str = "", **told: str) -> str:
        """The lines as they stand in the guide, stopped at the first that fails; what they show."""
        ran = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", lines], cwd=self.folder, env=self.environment | told,
            input=typed.encode(), capture_output=True, timeout=120, check=False,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stderr.decode()
        return ran.stdout.decode()

    def reads(self, **told: str) -> dict[str, object]:
        """A report that the team's key in `team.txt` opens."""
        self.runs(chapters()[2], **told)
        return dict(json.loads((self.folder / "report.json").read_bytes()))


async def two_reports(store: Store) -> dict[str, str]:
    """One of an epoch that is over and one of now; their codes at the desk."""
    words = {await store.takes("before", await store.file(PHOTO)): "before"}
    await store.rotates()
    words[await store.takes("now", await store.file(PHOTO))] = "now"
    rows = await store.superuser.fetch("SELECT id, desk_code FROM reports")
    return {row["desk_code"]: words[row["id"]] for row in rows}


async def test_the_recovery_paper_opens_every_report_and_file(store: Store, npm: NpmAge) -> None:
    codes, keeper = await two_reports(store), Keeper(store, npm)
    # The file that was printed, as the ceremony writes it: what stands around the key is passed over.
    with papers.written(store.made.ceremony_key, store.made.recovery, keeper.folder):
        pass
    by_recovery, _, _, file_lines = chapters()
    keeper.runs(by_recovery)
    for code, words in codes.items():
        report = keeper.reads(code=code)
        assert report["answers"] == {"words": words}
        (file,) = report["files"]  # type: ignore[misc]  # a list, of JSON
        shown = keeper.runs(file_lines, file=file["id"], length=str(file["length"]))
        assert shown.split()[0] == file["sha256"]
        assert (keeper.folder / "original").read_bytes() == PHOTO


async def test_a_passphrase_alone_opens_what_its_member_may_open(store: Store, npm: NpmAge) -> None:
    codes = await two_reports(store)
    added = await members.add(
        store.keeper, "swift", "analyst", signer=store.made.ceremony_key, opener=store.recovery,
        seen=SeenSerial(store.folder / "seen"), work_factor=10, now=NOW,
    )  # fmt: skip
    keeper = Keeper(store, npm)
    _, by_passphrase, _, file_lines = chapters()
    keeper.runs(by_passphrase, typed=f"{added.passphrase}\n", member="swift")
    for code, words in codes.items():
        report = keeper.reads(code=code)
        assert report["answers"] == {"words": words}
        (file,) = report["files"]  # type: ignore[misc]
        shown = keeper.runs(file_lines, file=file["id"], length=str(file["length"]))
        assert shown.split()[0] == file["sha256"]

    # Nothing of a compartment that the member was not given, and nothing with another passphrase.
    report = await store.takes("written by a child", form="child")
    child = await store.superuser.fetchval("SELECT desk_code FROM reports WHERE id = $1", report)
    assert store.manifest.compartment_of("child") == CHILD != TEAM
    with pytest.raises(AssertionError, match="no identity matched"):
        keeper.reads(code=child)
    with pytest.raises(AssertionError, match="no identity matched"):
        keeper.runs(by_passphrase, typed="another-passphrase\n", member="swift")
