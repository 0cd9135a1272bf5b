"""Two leads together give new keys to a third member, and nothing else; whatever else they sign counts for nobody."""

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from storage import manifest
from storage.errors import BrokenChainError, ManifestError
from storage.manifest import Compartment, Manifest, Signed
from tests.storage.leads import (
    CEREMONY,
    FIRST,
    HERON,
    KEY,
    NEW_KEY,
    NEW_RECIPIENT,
    OWL,
    RECIPIENTS,
    SIGNED_FIRST,
    SIGNERS,
    SWIFT,
    WREN,
    by,
    public,
    reset,
    resets,
)


def refused(signed: Signed, *before: Signed) -> str:
    """Why; each form has an error of its own."""
    with pytest.raises(ManifestError) as error:
        manifest.verify(signed, KEY, before or [SIGNED_FIRST])
    return f"{type(error.value).__name__}: {error.value}"


# ---- what counts ------------------------------------------------------------------------------------


def test_a_reset_by_two_leads_counts_and_changes_two_keys() -> None:
    after = manifest.verify(by(reset(), HERON, WREN), KEY, [SIGNED_FIRST])
    assert (after.serial, after.signed_before) == (5, {OWL: [public(SIGNERS[OWL])]})
    changed = {"recipient": NEW_RECIPIENT, "signing_key": public(NEW_KEY)}
    assert after.members == {**FIRST.members, OWL: FIRST.members[OWL].model_copy(update=changed)}
    same = {"serial": 4, "members": FIRST.members, "signed_before": {}}
    assert after.model_copy(update=same) == FIRST


def test_a_lead_is_reset_by_two_others() -> None:
    after = manifest.verify(by(reset(member=SWIFT), HERON, WREN), KEY, [SIGNED_FIRST])
    assert after.members[SWIFT].role == "lead"


def test_resets_stand_on_each_other_down_to_the_ceremony() -> None:
    signed = resets(3)
    after = manifest.verify(signed[0], KEY, signed[1:])
    assert (after.serial, len(after.signed_before[OWL])) == (7, 3)


def test_who_was_reset_signs_with_the_new_key_and_no_more_with_the_old() -> None:
    first = by(reset(member=SWIFT), HERON, WREN)
    second = manifest.reset(
        manifest.verify(first, KEY, [SIGNED_FIRST]), OWL, RECIPIENTS[0], public(Ed25519PrivateKey.generate())
    )
    with_new = manifest.sign_together(second, first, {HERON: SIGNERS[HERON], SWIFT: NEW_KEY})
    assert manifest.verify(with_new, KEY, [first, SIGNED_FIRST]).serial == 6
    with_old = by(second, HERON, SWIFT, before=first)
    assert refused(with_old, first, SIGNED_FIRST).startswith(
        "NotTwoLeadsError: a lead's signature is not of this"
    )


# ---- who signed -------------------------------------------------------------------------------------


@pytest.mark.parametrize("leads", [(HERON,), (HERON, WREN, SWIFT), ()])
def test_two_sign_no_fewer_and_no_more(leads: tuple[str, ...]) -> None:
    assert (
        refused(by(reset(), *leads)) == "NotTwoLeadsError: a reset is signed by exactly two leads, each once"
    )


def test_one_lead_is_not_two_by_being_named_twice() -> None:
    one = json.loads(by(reset(), HERON, WREN).signature.removeprefix(b"two leads\n"))[HERON]
    twice = f'two leads\n{{"{HERON}":"{one}","{HERON}":"{one}"}}'.encode()
    other = f'two leads\n{{"{HERON}":"{one}","{HERON.upper()} ":"{one}"}}'.encode()
    body = reset().to_bytes()
    assert (
        refused(Signed(body, twice)) == "NotTwoLeadsError: a reset is signed by exactly two leads, each once"
    )
    assert "no lead in the manifest before" in refused(Signed(body, other))


def test_two_ids_with_one_key_are_one_lead() -> None:
    shared = FIRST.model_copy(
        update={
            "members": {
                **FIRST.members,
                WREN: FIRST.members[WREN].model_copy(update={"signing_key": public(SIGNERS[HERON])}),
            }
        }
    )
    before = manifest.sign(shared, CEREMONY)
    both = {HERON: SIGNERS[HERON], WREN: SIGNERS[HERON]}
    signed = manifest.sign_together(reset(shared), before, both)
    assert refused(signed, before) == "NotTwoLeadsError: two leads have two signing keys"


def test_an_analyst_is_no_lead() -> None:
    signed = by(reset(member=SWIFT), HERON, OWL)
    assert refused(signed) == (
        "NotTwoLeadsError: a reset is signed by somebody who was no lead in the manifest before"
    )


def test_a_lead_who_left_signs_nothing() -> None:
    stay = {member: keys for member, keys in FIRST.members.items() if member != WREN}
    without = FIRST.model_copy(update={"serial": 5, "members": stay})
    before = manifest.sign(without, CEREMONY)
    assert "no lead in the manifest before" in refused(by(reset(without), HERON, WREN, before=before), before)


def test_a_manifest_from_before_roles_names_no_lead() -> None:
    bare = FIRST.model_copy(
        update={"members": {m: keys.model_copy(update={"role": ""}) for m, keys in FIRST.members.items()}}
    )
    before = manifest.sign(bare, CEREMONY)
    assert "no lead in the manifest before" in refused(by(reset(bare), HERON, WREN, before=before), before)


@pytest.mark.parametrize(
    "signature",
    [
        b"", b"{}", b"[]", b"null", b"not JSON", b'{"a":1,"b":2}', b"[" * 900, b'{"\xff":"00"}',
        b'{"\\ud800":"00","b":"00"}', b"{" + b" " * 2000 + b"}",
    ],
)  # fmt: skip
def test_what_is_no_signature_of_two_is_refused(signature: bytes) -> None:
    assert refused(Signed(reset().to_bytes(), b"two leads\n" + signature)).startswith("NotTwoLeadsError: ")


def test_a_signature_of_another_use_or_of_other_bytes_proves_nothing() -> None:
    body = reset().to_bytes()
    before = hashlib.sha256(SIGNED_FIRST.body).digest()
    for said in (
        body,
        b"dodomu manifest v1\n" + body,
        b"dodomu manifest by two leads v1\n" + body,
        before + body,
    ):
        signatures = {lead: SIGNERS[lead].sign(said).hex() for lead in (HERON, WREN)}
        signed = Signed(body, b"two leads\n" + rfc8785.dumps(dict(signatures)))
        assert refused(signed).startswith("NotTwoLeadsError: a lead's signature")
    # Each signs the whole: one good signature and one of other bytes is no pair.
    good = json.loads(by(reset(), HERON, WREN).signature.removeprefix(b"two leads\n"))
    good[WREN] = SIGNERS[WREN].sign(body).hex()
    signed = Signed(body, b"two leads\n" + rfc8785.dumps(good))
    assert refused(signed).startswith("NotTwoLeadsError: a lead's signature")


# ---- what they signed -------------------------------------------------------------------------------


@pytest.mark.parametrize("lead", [HERON, WREN])
def test_nobody_resets_themselves(lead: str) -> None:
    assert refused(by(reset(member=lead), HERON, WREN)) == "NotAResetError: nobody resets their own keys"


def keys_of(member: str, after: Manifest, **changed: Any) -> dict[str, Any]:
    return {"members": {**after.members, member: after.members[member].model_copy(update=changed)}}


SMUGGLED: dict[str, Callable[[Manifest], Mapping[str, Any]]] = {
    "a role": lambda after: keys_of(OWL, after, role="lead"),
    "a compartment of the member": lambda after: keys_of(OWL, after, compartments=["child", "team"]),
    "another's role": lambda after: keys_of(SWIFT, after, role="auditor"),
    "another's key": lambda after: keys_of(SWIFT, after, signing_key=public(Ed25519PrivateKey.generate())),
    "a member gone": lambda after: {"members": {m: k for m, k in after.members.items() if m != SWIFT}},
    "a member more": lambda after: {"members": {**after.members, "x": FIRST.members[HERON]}},
    "a recipient": lambda _: {"compartments": {"team": Compartment(epoch=2, recipient=NEW_RECIPIENT)}},
    "an epoch": lambda after: {
        "compartments": {"team": after.compartments["team"].model_copy(update={"epoch": 3})}
    },
    "a former recipient": lambda after: {
        "compartments": {"team": after.compartments["team"].model_copy(update={"former": {1: NEW_RECIPIENT}})}
    },
    "recovery": lambda _: {"recovery": NEW_RECIPIENT},
    "routing": lambda _: {"routing": {"family": "child"}},
    "places": lambda _: {"places": {"UA65": "team"}},
    "relay": lambda _: {"relay": NEW_RECIPIENT},
    "log": lambda _: {"log": "dodomu+00000000+AA"},
    "expiry": lambda _: {"expires": FIRST.expires + timedelta(days=365)},
    "version": lambda _: {"version": 2},
    "keys of before": lambda _: {"signed_before": {}},
    "another's keys of before": lambda after: {
        "signed_before": {**after.signed_before, SWIFT: [public(NEW_KEY)]}
    },
}


@pytest.mark.parametrize("what", SMUGGLED)
def test_nothing_is_smuggled_in_with_a_reset(what: str) -> None:
    after = reset()
    signed = by(after.model_copy(update=SMUGGLED[what](after)), HERON, WREN)
    assert refused(signed).startswith("NotAResetError: two leads together ")


def test_two_leads_take_nobody_out_and_renew_nothing() -> None:
    stay = {member: keys for member, keys in FIRST.members.items() if member != OWL}
    for changed in ({"members": stay}, {}):
        signed = by(FIRST.model_copy(update={"serial": 5, **changed}), HERON, WREN)
        assert refused(signed) == "NotAResetError: two leads together give new keys to one member"


@pytest.mark.parametrize(
    ("recipient", "signing_key"),
    [
        (NEW_RECIPIENT, public(SIGNERS[HERON])),  # then one of the leads would be two
        (NEW_RECIPIENT, public(SIGNERS[OWL])),
        (FIRST.members[HERON].recipient, public(NEW_KEY)),
        (FIRST.members[OWL].recipient, public(NEW_KEY)),
    ],
    ids=["a signer's key", "their own key", "a signer's recipient", "their own recipient"],
)
def test_the_keys_of_a_reset_are_nobodys_yet(recipient: str, signing_key: str) -> None:
    signed = by(manifest.reset(FIRST, OWL, recipient, signing_key), HERON, WREN)
    assert refused(signed) == "NotAResetError: a reset makes new keys, which are nobody's yet"


@pytest.mark.parametrize(
    ("recipient", "signing_key"),
    [
        ("age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p", public(NEW_KEY)),
        ("age1pq1", public(NEW_KEY)),
        (NEW_RECIPIENT, "00"),
        (NEW_RECIPIENT, "not hexadecimal"),
    ],
    ids=["not hybrid", "cut short", "a short key", "no key"],
)
def test_the_keys_of_a_reset_are_keys(recipient: str, signing_key: str) -> None:
    signed = by(manifest.reset(FIRST, OWL, recipient, signing_key), HERON, WREN)
    assert refused(signed).startswith("ManifestError: a manifest's ")


@pytest.mark.parametrize("body", [b"{}", b"not JSON", b"[" * 100_000])
def test_what_two_leads_signed_and_nobody_understands_is_refused(body: bytes) -> None:
    said = b"dodomu manifest by two leads v1\n" + hashlib.sha256(SIGNED_FIRST.body).digest() + body
    signatures = {lead: SIGNERS[lead].sign(said).hex() for lead in (HERON, WREN)}
    signed = Signed(body, b"two leads\n" + rfc8785.dumps(dict(signatures)))
    assert "cannot read it" in refused(signed)


# ---- what it stands on ------------------------------------------------------------------------------


def test_without_the_manifest_before_it_counts_for_nothing() -> None:
    with pytest.raises(BrokenChainError, match="is missing"):
        manifest.verify(by(reset(), HERON, WREN), KEY)
    signed = resets(2)
    assert refused(signed[0], signed[1]).startswith("BrokenChainError: the manifest before")


def test_a_forged_manifest_before_counts_for_nothing() -> None:
    """Somebody makes two leads of their own, and lets them sign."""
    mine = {**FIRST.members, HERON: FIRST.members[HERON].model_copy(update={"signing_key": public(NEW_KEY)})}
    forged = FIRST.model_copy(update={"members": mine})
    after = manifest.reset(forged, OWL, NEW_RECIPIENT, public(Ed25519PrivateKey.generate()))
    for before in (manifest.sign(forged, NEW_KEY), Signed(forged.to_bytes(), SIGNED_FIRST.signature)):
        signed = manifest.sign_together(after, before, {HERON: NEW_KEY, WREN: SIGNERS[WREN]})
        assert refused(signed, before).startswith("BadSignatureError: ")


def test_it_counts_after_the_very_manifest_that_it_was_signed_after() -> None:
    other = manifest.sign(FIRST.model_copy(update={"expires": date(2030, 1, 1)}), CEREMONY)
    assert refused(by(reset(), HERON, WREN), other).startswith("NotTwoLeadsError: a lead's signature")


@pytest.mark.parametrize("serial", [3, 4, 6, 40])
def test_a_gap_between_serials_is_refused(serial: int) -> None:
    signed = by(reset().model_copy(update={"serial": serial}), HERON, WREN)
    assert refused(signed) == (
        "BrokenChainError: a manifest that two leads signed does not follow the one before it"
    )


def test_after_many_resets_the_ceremony_signs_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifest, "RESETS_IN_A_ROW", 2)
    signed = resets(3)
    assert manifest.verify(signed[1], KEY, signed[2:]).serial == 6
    assert refused(signed[0], *signed[1:]).startswith("BrokenChainError: too many resets")
