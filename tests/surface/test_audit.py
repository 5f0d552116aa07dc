"""The public audits of GraphQL over HTTP, run by their own package against started servers."""

import pytest

from tests.surface.audit import AUDITS, audits, present
from tests.surface.server import Server

pytestmark = pytest.mark.skipif(not present(), reason="Node or its packages are absent: run `make clients`")


def test_every_audit_passes_in_the_open_profile(ouvert: Server) -> None:
    found = audits(ouvert)
    assert [audit for audit in found if audit["status"] != "ok"] == []
    assert len(found) == AUDITS


def test_no_audit_fails_nor_warns_in_the_production_profile(production: Server) -> None:
    found = audits(production)
    assert len(found) == AUDITS
    assert [audit for audit in found if audit["status"] not in {"ok", "notice"}] == []
