"""Keys as text: what is written is read, a slip is noticed, a secret never shows itself."""

import traceback
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

import seal
from seal import HybridIdentity, HybridRecipient, MalformedError, Part, X25519Identity, bech32

# The examples of age.md.
SPEC_HYBRID = "AGE-SECRET-KEY-PQ-1XX76JRALNLXDMEW0CRK45QMCCH4X06SE84UN3VPM33W6HWDX0H3SK3ZQFR"
SPEC_HYBRID_RECIPIENT_STARTS = (
    "age1pq1x34nzsvr0rxjsgdn8zgyhfe8j7ceq5r9rdelkjuh3y235jzxshfg87pzf5zrqtzdxz95paef6caq5"
)
SPEC_X25519 = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX"
SPEC_X25519_RECIPIENT = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"

P = 2**255 - 19  # the field of Curve25519; the points below are of low order

prefixes = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20).map(str.lower)


@given(prefixes, st.binary(max_size=300))
def test_bech32_there_and_back(prefix: str, raw: bytes) -> None:
    text = bech32.encode(prefix, raw)
    assert bech32.decode(text) == bech32.decode(text.upper()) == (prefix, raw)


@given(st.binary(min_size=1, max_size=80), st.data())
def test_bech32_notices_one_wrong_sign(raw: bytes, data: st.DataObject) -> None:
    text = bech32.encode("age", raw)
    at = data.draw(st.integers(len("age1"), len(text) - 1))
    sign = data.draw(
        st.sampled_from("qpzry9x8gf2tvdw0s3jn54khce6mua7l").filter(lambda sign: sign != text[at])
    )
    with pytest.raises(ValueError, match="checksum"):
        bech32.decode(text[:at] + sign + text[at + 1 :])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "1qqqqqq",
        "age",
        "age1",
        "age1qqqqq",
        "age1b" + "q" * 10,
        "Age1" + "q" * 10,
        "ag\u00e91" + "q" * 10,
        SPEC_X25519[:-1] + "x",
        # valid checksums over groups that are no whole bytes
        "age1qqqqqqqq",
    ],
)
def test_what_is_not_bech32(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - each has its own reason, none is told to a person
        bech32.decode(text)


@pytest.mark.parametrize("values", [[0, 1], [31], [0, 0, 0]])
def test_bech32_left_over_bits(values: list[int]) -> None:
    remainder = bech32._polymod([*bech32._expanded("age"), *values, *bytes(6)]) ^ 1
    signs = [*values, *((remainder >> shift) & 31 for shift in range(25, -1, -5))]
    with pytest.raises(ValueError, match="belong to nothing"):
        bech32.decode("age1" + "".join(bech32._ALPHABET[sign] for sign in signs))


def test_the_keys_of_the_specification() -> None:
    identity = seal.parse_identity(SPEC_HYBRID)
    assert isinstance(identity, HybridIdentity)
    assert identity.reveal() == SPEC_HYBRID
    assert str(identity.recipient).startswith(SPEC_HYBRID_RECIPIENT_STARTS)
    assert isinstance(seal.parse_identity(SPEC_X25519), X25519Identity)


def test_a_new_key_there_and_back() -> None:
    identity = HybridIdentity.generate()
    assert seal.parse_identity(f"  {identity.reveal()}\n").reveal() == identity.reveal()
    assert seal.parse_recipient(str(identity.recipient)) == identity.recipient
    assert hash(seal.parse_recipient(str(identity.recipient))) == hash(identity.recipient)
    assert identity.recipient != HybridIdentity.generate().recipient


def test_files_of_keys() -> None:
    one, two = HybridIdentity.generate(), HybridIdentity.generate()
    text = f"# made at the ceremony\r\n\n{one.reveal()}\n  \n{two.reveal()}"
    assert [key.reveal() for key in seal.parse_identities(text)] == [one.reveal(), two.reveal()]
    assert seal.parse_recipients(f"{one.recipient}\n# and\n{two.recipient}\n") == [
        one.recipient,
        two.recipient,
    ]


@pytest.mark.parametrize(
    ("parse", "text", "says"),
    [
        (seal.parse_recipient, SPEC_X25519_RECIPIENT, "only to hybrid"),
        (seal.parse_recipient, SPEC_HYBRID, "secret key"),
        (seal.parse_recipient, SPEC_X25519, "secret key"),
        (seal.parse_recipient, bech32.encode("bc", b"x"), "not a public key"),
        (seal.parse_recipient, bech32.encode("age1pq", b"short"), "not a hybrid public key"),
        (seal.parse_identity, SPEC_X25519_RECIPIENT, "public key"),
        (seal.parse_identity, bech32.encode("age-plugin-card-", b"x").upper(), "not a secret key"),
        (
            seal.parse_identity,
            bech32.encode("age-secret-key-pq-", b"x" * 31).upper(),
            "not a hybrid secret key",
        ),
        (
            seal.parse_identity,
            bech32.encode("age-secret-key-", b"x" * 33).upper(),
            "not an X25519 secret key",
        ),
        (seal.parse_identity, SPEC_HYBRID[:-2], "copied with a mistake"),
        (seal.parse_identities, f"# good\n{SPEC_HYBRID}\n{SPEC_HYBRID[:-2]}", "Line 3: "),
        (seal.parse_identities, "# nothing else\n", "no secret key"),
        (seal.parse_recipients, "", "no public key"),
    ],
)
def test_what_is_not_the_key_that_is_needed(parse: Callable[[str], object], text: str, says: str) -> None:
    with pytest.raises(MalformedError, match=says) as caught:
        parse(text)
    assert caught.value.part is Part.KEY


@given(st.text(max_size=120))
def test_any_text_is_refused_kindly(text: str) -> None:
    for parse in (seal.parse_recipient, seal.parse_identity, seal.parse_recipients, seal.parse_identities):
        with pytest.raises(MalformedError):
            parse(text)


@pytest.mark.parametrize("u", [0, 1, P - 1, P, P + 1])
def test_weak_public_keys_are_refused(u: int) -> None:
    good = bech32.decode(str(HybridIdentity.generate().recipient))[1]
    with pytest.raises(MalformedError):
        HybridRecipient(good[:-32] + u.to_bytes(32, "little"))


def test_public_keys_out_of_range_are_refused() -> None:
    good = bech32.decode(str(HybridIdentity.generate().recipient))[1]
    for raw in (b"\xff" * 1184 + good[-32:], good[:-1], good + b"\0", b""):
        with pytest.raises(MalformedError):
            HybridRecipient(raw)


def test_secrets_hide_themselves() -> None:
    identity = HybridIdentity.generate()
    secret = identity.reveal()
    seed = bech32.decode(secret)[1]
    passphrase = "anvil-brook-candle"
    shown = [
        f"{thing} {thing!r} {[thing]}"
        for thing in (
            identity,
            seal.parse_identity(SPEC_X25519),
            seal.ScryptIdentity(passphrase),
            seal.ScryptRecipient(passphrase, 4),
            seal.Sealer([seal.ScryptRecipient(passphrase, 4)]),
            seal.Opener([identity]),
        )
    ]
    for text in shown:
        assert secret[18:40] not in text
        assert SPEC_X25519[15:40] not in text
        assert passphrase not in text
        assert repr(seed)[2:-1] not in text
        assert seed.hex() not in text


@pytest.mark.parametrize("secret", [SPEC_HYBRID[:-1] + "Q", SPEC_HYBRID + "é", SPEC_X25519[:-3]])
def test_no_error_repeats_a_secret(secret: str) -> None:
    for parse in (seal.parse_identity, seal.parse_recipient, seal.parse_identities, seal.parse_recipients):
        with pytest.raises(MalformedError) as caught:
            parse(secret)
        told = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
        assert secret[18:40] not in told
        assert secret[18:40].lower() not in told
