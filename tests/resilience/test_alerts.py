"""The outline of an answer that nobody can read: its shape for a text, its kind for anything else, its values never."""

import gzip
import logging

import pytest

from resolvers.alerts import redacted
from sandbox.personas import CLAIR_VALLON
from tests.conftest import Api, Providers

RCS = "query($s: Siren!) { entreprise(siren: $s) { rcs { siren } } }"
NAME = '{"nom": "DUPONT", "siren": "910203041"}'


@pytest.mark.parametrize(
    ("content", "outline"),
    [
        (gzip.compress(NAME.encode(), mtime=0), "<gzip>"),
        (b"PK\x03\x04" + NAME.encode(), "<zip>"),
        (b"%PDF-1.7 " + NAME.encode(), "<pdf>"),
        (NAME.encode("utf-16"), "<not UTF-8 text>"),
        (NAME.encode("utf-16-le"), "<not UTF-8 text>"),
        ("Société générale".encode("iso-8859-15"), "<not UTF-8 text>"),
        (b"\x00\x01" + NAME.encode(), "<not UTF-8 text>"),
        (b"a\xe2\x82", "<not UTF-8 text>"),
        (b"", ""),
        ("né\r\nle 1/2".encode(), "aa  aa 9/9"),
        ("é".encode() * 99 + b"x" + "€".encode(), "a" * 100),
    ],
)
def test_the_outline_of_a_body(content: bytes, outline: str) -> None:
    """The last one is cut inside of a character by the bound, and is a text all the same."""
    assert redacted(content) == outline


async def test_a_compressed_body_that_does_not_say_so_shows_none_of_its_bytes(
    api: Api, providers: Providers, caplog: pytest.LogCaptureFixture
) -> None:
    body = gzip.compress(NAME.encode(), mtime=0)
    providers.sandbox.conducts["infogreffe"].answers = ((200, {"content-type": "text/xml"}, body),)
    providers.misbehave("infogreffe", panne="answer")
    await api.ask(RCS, variables={"s": CLAIR_VALLON})
    (record,) = [record for record in caplog.records if record.name == "resolvers.alerts"]
    assert record.levelno == logging.ERROR
    assert record.getMessage().endswith(f"{len(body)} bytes, outline '<gzip>'")
