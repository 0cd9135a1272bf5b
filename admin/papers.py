"""The two papers of the ceremony: each secret as words, as a QR code and as text, so that one of the three can be read.

A secret is 32 bytes: 24 words of the English return words, 11 bits each, the last 8 bits a checksum (as BIP 39 does,
with our list). The checksum covers which paper it is, so one is not taken for the other. A file with the words alone is
read like the file with the key, in any case and spacing; a mistake is told by its place and never repeated.

    words = to_words(CEREMONY_KEY, key.private_bytes_raw())       # 24 words
    with written(key, recovery, folder) as files: …              # gone again if the ceremony is refused
    read_recovery(files.recovery)
"""

import contextlib
import hashlib
import html
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import segno
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from admin.errors import AdminError
from flows import returnwords
from seal import HybridIdentity, SealError, bech32, parse_identities

WORDS = 24  # 32 bytes and 8 bits of checksum, 11 bits a word
SECRET_LENGTH = 32  # bytes
CEREMONY_FILE, RECOVERY_FILE = "ceremony-key.txt", "recovery.txt"
CEREMONY_PAGE, RECOVERY_PAGE = "ceremony-key.html", "recovery.html"
FILES = (CEREMONY_FILE, RECOVERY_FILE, CEREMONY_PAGE, RECOVERY_PAGE)
_IN_A_LINE = 4
_WORD = re.compile(r"[^\W\d_]+")


class CeremonyError(AdminError):
    """The ceremony cannot be held, or one of its files is not what it should be."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One of the two papers: its name, the title of its page, what it is for, how its secret looks as text."""

    name: str
    title: str
    purpose: Sequence[str]
    marker: str
    context: bytes  # of the checksum


CEREMONY_KEY = Kind(
    "ceremony key",
    "Dodomu: the CEREMONY KEY. Secret.",
    (
        "Who has it decides to whose keys reports are sealed. It is needed to change the list of members and keys (the",
        "manifest), and once a year to renew it; never to read a report.",
        "Print, check the print, lock it away apart from the recovery identity, then delete the file.",
    ),
    "-----BEGIN",
    b"dodomu ceremony key words v1\n",
)
RECOVERY = Kind(
    "recovery identity",
    "Dodomu: the RECOVERY IDENTITY. Secret.",
    (
        "Who has it and a copy of the database opens every report. It is needed when nobody's passphrase is left, to",
        "restore a backup, and to add the first member.",
        "Print, check the print, lock it away apart from the ceremony key, then delete the file.",
    ),
    "age-secret-key-pq-1",
    b"dodomu recovery identity words v1\n",
)


@dataclass(frozen=True, slots=True)
class Files:
    """Where the papers were written: to be read by the commands, and (pages) to be printed."""

    ceremony_key: Path
    recovery: Path
    ceremony_page: Path
    recovery_page: Path


# ---- words ------------------------------------------------------------------------------------------


def to_words(kind: Kind, secret: bytes) -> list[str]:
    """The 24 words of a secret of 32 bytes."""
    if len(secret) != SECRET_LENGTH:
        raise ValueError("a paper's secret has 32 bytes")
    number = int.from_bytes(secret + _checksum(kind, secret))
    numbers = [number >> 11 * place & 0x7FF for place in reversed(range(WORDS))]
    return returnwords.words(numbers, "en")


def seed_of(recovery: HybridIdentity) -> bytes:
    """The 32 bytes that the recovery identity is made of."""
    return bech32.decode(recovery.reveal())[1]


def from_words(kind: Kind, text: str) -> bytes:
    """The secret in 24 words, however they are set; CeremonyError tells the kind of mistake, and repeats no word.

    One word taken for another is noticed in 255 of 256 cases; what is read is then still checked against the manifest.
    """
    tokens = _WORD.findall(text)
    if len(tokens) != WORDS:
        raise CeremonyError(f"it holds {len(tokens)} words, and the paper has {WORDS}.")
    number = 0
    for place, token in enumerate(tokens, 1):
        meant = returnwords.numbers(token, "en")
        if meant is None:
            raise CeremonyError(
                f"word {place} is none of the list. Compare it with the paper, letter by letter."
            )
        number = number << 11 | meant[0]
    raw = number.to_bytes(SECRET_LENGTH + 1)
    secret, checksum = raw[:SECRET_LENGTH], raw[SECRET_LENGTH:]
    if checksum == _checksum(kind, secret):
        return secret
    other = next(each for each in (CEREMONY_KEY, RECOVERY) if each is not kind)
    if checksum == _checksum(other, secret):
        raise CeremonyError(f"these are the words of the {other.name}, the other paper.")
    raise CeremonyError(
        "every word is of the list, but they do not belong together: one is another than on the paper, or two have"
        " changed places."
    )


def _checksum(kind: Kind, secret: bytes) -> bytes:
    return hashlib.sha256(kind.context + secret).digest()[:1]


# ---- writing ----------------------------------------------------------------------------------------


@contextlib.contextmanager
def written(ceremony_key: Ed25519PrivateKey, recovery: HybridIdentity, folder: Path) -> Iterator[Files]:
    """Writes both papers, each readable by its user alone, and removes them if the ceremony is refused.

    Raises CeremonyError when one of the files is there already: nothing is overwritten. After any other
    fault they stay: the database may have kept what they belong to.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise CeremonyError(f"The folder {folder} cannot be made: {error.strerror}.") from None
    made: list[Path] = []
    try:
        for name, text in zip(FILES, _texts(ceremony_key, recovery), strict=True):
            write_private(folder / name, text)
            made.append(folder / name)
        yield Files(*(folder / name for name in FILES))
    except CeremonyError:
        for path in made:
            path.unlink()
        raise


def _texts(ceremony_key: Ed25519PrivateKey, recovery: HybridIdentity) -> tuple[str, str, str, str]:
    pem = ceremony_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = ceremony_key.public_key().public_bytes_raw().hex()
    identity = recovery.reveal()
    recipient = str(recovery.recipient)
    signing = to_words(CEREMONY_KEY, ceremony_key.private_bytes_raw())
    opening = to_words(RECOVERY, seed_of(recovery))
    above = ["age identity: the public `age` tool (1.3 or later) opens with it what is sealed to recovery."]
    about_key = _about(CEREMONY_KEY, signing, [f"public half (DODOMU_CEREMONY_KEY): {public}"])
    about_recovery = _about(RECOVERY, opening, [*above, f"public key: {recipient}"])
    comments = "".join(f"# {line}".rstrip() + "\n" for line in about_recovery)
    return (
        "".join(f"{line}\n" for line in about_key) + "\n" + pem,
        f"{comments}{identity}\n",
        _page(CEREMONY_KEY, signing, pem.strip(), ("Public half", in_groups(public))),
        _page(RECOVERY, opening, identity, ("Fingerprint of its public half", fingerprint(recipient))),
    )


def _about(kind: Kind, words: Sequence[str], notes: Sequence[str]) -> list[str]:
    numbered = [f"{place:>2} {word:<9}" for place, word in enumerate(words, 1)]
    lines = ["".join(numbered[at : at + _IN_A_LINE]).rstrip() for at in range(0, WORDS, _IN_A_LINE)]
    return [kind.title, "", *kind.purpose, "", *lines, "", *notes, ""]


def write_private(path: Path, text: str) -> None:
    """A new file that only its user reads, on the disk when this returns. CeremonyError when it cannot be."""
    try:
        with open(path, "x", encoding="utf-8", opener=_private) as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        folder = os.open(path.parent, os.O_RDONLY)
    except FileExistsError:
        raise CeremonyError(
            f"{path} is there already; nothing is overwritten. Choose another folder."
        ) from None
    except OSError as error:
        with contextlib.suppress(OSError):
            path.unlink()
        raise CeremonyError(f"{path} cannot be written: {error.strerror}.") from None
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def fingerprint(recipient: str) -> str:
    """16 hexadecimal digits of a recipient's SHA-256, to tell by eye which paper belongs to which manifest."""
    return in_groups(hashlib.sha256(recipient.encode()).hexdigest()[:16])


def in_groups(digits: str) -> str:
    """Digits in groups of eight, for the eye."""
    return " ".join(re.findall(".{8}", digits))


# ---- the page to print ------------------------------------------------------------------------------

_STYLE = """
@page { size: A4; margin: 16mm }
body { font: 12pt/1.4 Georgia, "Times New Roman", serif; max-width: 178mm; margin: 0 auto; color: #000 }
h1 { font-size: 20pt; margin: 0 0 3mm; border-bottom: 1mm solid #000; padding-bottom: 2mm }
h2 { font-size: 12pt; margin: 6mm 0 2mm } p { margin: 0 0 2mm }
ol { list-style: none; margin: 0; padding: 0; display: grid; grid-template-columns: repeat(4, 1fr); gap: 1.5mm 4mm }
li, code { font-family: "DejaVu Sans Mono", Menlo, Consolas, monospace }
li { border-bottom: .2mm solid #999; font-size: 13pt; padding: .5mm 0 }
li b { display: inline-block; width: 2.2em; font-weight: normal; color: #555; font-size: 9pt }
.code { display: grid; grid-template-columns: 50mm 1fr; gap: 6mm; align-items: center }
.code svg { width: 50mm; height: 50mm }
code { font-size: 9pt; word-break: break-all; white-space: pre-wrap } .code code { font-size: 8pt }
.by-hand { display: grid; grid-template-columns: auto 1fr; gap: 4mm 3mm; margin-top: 4mm }
.by-hand i { border-bottom: .2mm solid #000 }
"""
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<h1>{title}</h1>
<p>{purpose}</p>
<h2>The secret in 24 words</h2>
<ol>{words}</ol>
<h2>The same for a machine</h2>
<div class="code">{code}<div>
<p>Scan it only with a device that is on no network and keeps no pictures.</p>
<code>{text}</code></div></div>
<h2>{public_name} (not secret)</h2>
<code>{public}</code>
<h2>By hand</h2>
<div class="by-hand"><span>Made on</span><i></i><span>by</span><i></i><span>and</span><i></i>
<span>Kept at</span><i></i></div>
<h2>To use it</h2>
<p>Type the 24 words into a file, in any line breaks, capital or small; the commands take this file in place of the
one that was printed (<code>docs/keys.md</code>). Delete it afterwards.</p>
</body>
</html>
"""


def _page(kind: Kind, words: Sequence[str], text: str, public: tuple[str, str]) -> str:
    """A page by itself: it loads nothing, runs nothing, and fits one sheet of A4."""
    code = segno.make_qr(text, error="q").svg_inline(border=2, omitsize=True)
    return _PAGE.format(
        title=html.escape(kind.title),
        style=_STYLE,
        purpose=html.escape(" ".join(kind.purpose)),
        words="".join(f"<li><b>{place}</b>{word}</li>" for place, word in enumerate(words, 1)),
        code=code,
        text=html.escape(text),
        public_name=html.escape(public[0]),
        public=html.escape(public[1]),
    )


# ---- reading ----------------------------------------------------------------------------------------


def read_ceremony_key(path: Path) -> Ed25519PrivateKey:
    """The ceremony key in its file, or in a file with its 24 words. CeremonyError says what is wrong."""
    text = _read(path, CEREMONY_KEY)
    if CEREMONY_KEY.marker not in text:
        return Ed25519PrivateKey.from_private_bytes(_words_in(path, text, CEREMONY_KEY))
    try:
        key = load_pem_private_key(text.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise _none(path, CEREMONY_KEY)
    return key


def read_recovery(path: Path) -> HybridIdentity:
    """The recovery identity in its file, or in a file with its 24 words. CeremonyError says what is wrong."""
    text = _read(path, RECOVERY)
    if RECOVERY.marker not in text.lower():
        return HybridIdentity(_words_in(path, text, RECOVERY))
    try:
        identities = parse_identities(text)
    except SealError:
        identities = []
    if len(identities) != 1 or not isinstance(identities[0], HybridIdentity):
        raise _none(path, RECOVERY)
    return identities[0]


def _words_in(path: Path, text: str, kind: Kind) -> bytes:
    other = next(each for each in (CEREMONY_KEY, RECOVERY) if each is not kind)
    if other.marker in text.lower() or other.marker in text:
        raise _none(path, kind, f"this is the {other.name}, the other paper.")
    try:
        return from_words(kind, "\n".join(line for line in text.splitlines() if not line.startswith("#")))
    except CeremonyError as mistake:
        raise _none(path, kind, str(mistake)) from None


def _read(path: Path, kind: Kind) -> str:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise CeremonyError(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise _none(path, kind) from None
    if "<html" in text:
        raise _none(
            path, kind, f"this is the page to print. Give {CEREMONY_FILE} or {RECOVERY_FILE}, or the words."
        )
    return text


def _none(path: Path, kind: Kind, why: str = "") -> CeremonyError:
    return CeremonyError(
        f"{path} is not a {kind.name}, or was copied with a mistake{f': {why}' if why else '.'}"
    )
