"""A dump's manifests are a chain: each signed by the ceremony key, or by two leads after one that is."""

import base64
import json
from pathlib import Path

import pytest

from admin.custody_findings import Findings
from admin.custody_verify import Manifests
from storage import manifest
from storage.manifest import Signed
from tests.admin.custody_kit import faults
from tests.storage import leads

LOG = "dodomu.example.org/custody+00000000+AAAA"


def chain() -> list[Signed]:
    """From the ceremony's first: a reset, another, and one that the ceremony key signed and that names the log."""
    first = leads.FIRST.model_copy(update={"serial": 1})
    signed = [manifest.sign(first, leads.CEREMONY)]
    second = manifest.reset(first, leads.OWL, leads.NEW_RECIPIENT, leads.public(leads.NEW_KEY))
    signed.append(leads.by(second, leads.HERON, leads.WREN, before=signed[-1]))
    third = manifest.reset(second, leads.OWL, leads.RECIPIENTS[1], leads.public(leads.CEREMONY))
    signed.append(leads.by(third, leads.SWIFT, leads.WREN, before=signed[-1]))
    fourth = third.model_copy(update={"serial": 4, "log": LOG})
    return [*signed, manifest.sign(fourth, leads.CEREMONY)]


def read(path: Path, rows: list[Signed], serials: list[int] | None = None) -> tuple[Manifests, Findings]:
    lines = [
        {
            "serial": serial,
            "body": base64.b64encode(one.body).decode(),
            "signature": base64.b64encode(one.signature).decode(),
        }
        for serial, one in zip(serials or range(1, len(rows) + 1), rows, strict=True)
    ]
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    findings = Findings()
    return Manifests.read(path, leads.KEY, findings), findings


def test_what_two_leads_signed_counts_after_what_the_ceremony_key_signed(tmp_path: Path) -> None:
    manifests, findings = read(tmp_path / "manifests", chain())
    assert findings.holds, findings.text()
    assert manifests.log_keys == [LOG]
    assert manifests.count == 4


@pytest.mark.parametrize("gone", [0, 1, 2])
def test_a_manifest_that_is_gone_leaves_a_gap(tmp_path: Path, gone: int) -> None:
    rows = chain()
    serials = [serial for serial in (1, 2, 3, 4) if serial != gone + 1]
    _, findings = read(tmp_path / "manifests", rows[:gone] + rows[gone + 1 :], serials)
    assert set(faults(findings)) == {"changed manifest"}


@pytest.mark.parametrize("at", range(4))
def test_a_manifest_that_was_changed_is_found(tmp_path: Path, at: int) -> None:
    rows = chain()
    rows[at] = Signed(rows[at].body.replace(b'"team"', b'"tean"'), rows[at].signature)
    manifests, findings = read(tmp_path / "manifests", rows)
    assert set(faults(findings)) == {"changed manifest"}
    assert (manifests.log_keys == []) == (at == 3)


def test_a_manifest_under_another_serial_is_found(tmp_path: Path) -> None:
    _, findings = read(tmp_path / "manifests", chain(), [1, 3, 2, 4])
    assert faults(findings).count("changed manifest") == 2
