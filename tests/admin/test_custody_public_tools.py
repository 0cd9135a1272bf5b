"""What docs/custody.md tells a stranger to do with public tools is done here, word for word, and agrees with ours."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from admin import timestamps
from admin.timestamps import Authority
from tests.admin.custody_kit import Keeping, lines, write
from tests.admin.stamping import authority

GUIDE = Path(__file__).parents[2] / "docs" / "custody.md"
SOURCES = Path("/usr/share/gocode")  # where Debian's golang-golang-x-mod-dev puts them


def told(fence: str, beginning: str) -> str:
    """The block of the guide that begins so."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", GUIDE.read_text(), re.DOTALL | re.MULTILINE)
    (block,) = [text for named, text in blocks if named == fence and text.startswith(beginning)]
    return str(block)


def shell(script: str, folder: Path) -> str:
    done = subprocess.run(["bash", "-euc", script], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def checker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The guide's Go program, built from what Debian has, without the network."""
    there = shutil.which("go") and (SOURCES / "src/golang.org/x/mod/sumdb/tlog").is_dir()
    if not there and not os.environ.get("CI"):
        pytest.skip("the guide's Go is not tried: on Debian, apt install golang-go golang-golang-x-mod-dev")
    folder = tmp_path_factory.mktemp("checker")
    (folder / "main.go").write_text(told("go", "package main"))
    subprocess.run(
        ["go", "build", "-o", folder / "check", folder / "main.go"],
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
    return folder / "check"


def ask(checker: Path, key: str, note: Path, leaves: Path) -> subprocess.CompletedProcess[str]:
    with leaves.open("rb") as given:
        return subprocess.run([checker, key, note], stdin=given, capture_output=True, text=True, check=False)


async def test_the_guides_go_program_agrees(checker: Path, grown: Keeping, dumped: Path) -> None:
    for size in (11, 19, 27):
        note = dumped / "checkpoints" / f"{size:012}.note"
        said = ask(checker, grown.log.vkey, note, dumped / "leaves.ndjson")
        assert said.stdout == f"the first {size} leaves are those that {grown.log.signer.name} signed\n"
    kept = lines(dumped / "leaves.ndjson")
    write(dumped / "leaves.ndjson", [*kept[:5], kept[6], kept[5], *kept[7:]])
    said = ask(
        checker, grown.log.vkey, dumped / "checkpoints" / "000000000011.note", dumped / "leaves.ndjson"
    )
    assert (said.returncode, said.stdout) == (1, "")
    assert "are not those that" in said.stderr


async def test_the_hash_of_a_leaf_is_computed_by_the_shell(grown: Keeping, dumped: Path) -> None:
    computed, kept = shell(told("", "(printf"), dumped).split("\n")[:2]
    assert computed.split()[0] == kept
    assert re.fullmatch(r"[0-9a-f]{64}", kept)


async def test_a_time_stamp_is_checked_by_openssl(grown: Keeping, tmp_path: Path) -> None:
    async with authority(tmp_path / "tsa") as tsa:
        grown.authorities, grown.roots = [Authority.of(tsa.url)], timestamps.read_roots(tsa.root)
        grown.starts_anew()
        await grown.round()
    dumped = await grown.dumps()
    shutil.copy(tsa.root, dumped / "roots.pem")
    (stamp,) = (dumped / "timestamps").iterdir()
    script = (
        told("", "head -n 5")
        .replace("000000001203.tsa.example.org.tsr", stamp.name)
        .replace("000000001203", stamp.name.partition(".")[0])
    )
    assert "Verification: OK" in shell(script, dumped)
