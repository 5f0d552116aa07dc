"""What a hostile provider, or whoever took its place, may answer: XML, PDF and compressed bodies made to hurt.

Built once, small on the wire; nothing here names a real address or a real person.
"""

import base64
import gzip
import zlib
from functools import lru_cache

_SOAP = (
    '<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/"><SOAP-ENV:Body>'
    '<ns0:getProduitsWebServicesXMLResponse xmlns:ns0="urn:local"><return{}>{}</return>'
    "</ns0:getProduitsWebServicesXMLResponse></SOAP-ENV:Body></SOAP-ENV:Envelope>"
)


def xml_attacks(trap: str) -> dict[str, bytes]:
    """By name: entities that unfold, files and addresses of ours (`trap`) to be read, documents that only weigh."""
    laughs = '<!ENTITY e0 "ha">' + "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    quadratic = f'<!ENTITY e9 "{"a" * 50_000}">'
    texts = {
        "entities that unfold": f"<!DOCTYPE a [{laughs}]>" + _SOAP.format("", "&e9;"),
        "entities that unfold in an attribute": f"<!DOCTYPE a [{laughs}]>" + _SOAP.format(' k="&e9;"', "a"),
        "a long entity, many times": f"<!DOCTYPE a [{quadratic}]>" + _SOAP.format("", "&e9;" * 2_000),
        "a file of ours": '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + _SOAP.format("", "&x;"),
        "an address of ours": f'<!DOCTYPE a [<!ENTITY x SYSTEM "{trap}">]>' + _SOAP.format("", "&x;"),
        "a type elsewhere": f'<!DOCTYPE a SYSTEM "{trap}">' + _SOAP.format("", "a"),
        "a parameter entity": f'<!DOCTYPE a [<!ENTITY % p SYSTEM "{trap}"> %p;]>' + _SOAP.format("", "a"),
        "an inclusion": _SOAP.format(
            ' xmlns:xi="http://www.w3.org/2001/XInclude"', '<xi:include href="file:///etc/passwd" parse="text"/>'
        ),
        "a style sheet": f'<?xml-stylesheet type="text/xsl" href="{trap}"?>' + _SOAP.format("", "a"),
        "deep": _SOAP.format("", "<a>" * 100_000 + "</a>" * 100_000),
        "many attributes": _SOAP.format("".join(f' a{n}="{n}"' for n in range(20_000)), "a"),
        "a long name": _SOAP.format("", f"<{'a' * 200_000}/>"),
    }
    wide = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + _SOAP.format("", "&x;")
    return {name: text.encode() for name, text in texts.items()} | {"a file of ours, in UTF-16": wide.encode("utf-16")}


@lru_cache(maxsize=1)
def pdf_attacks() -> dict[str, bytes]:
    """By name: files that start like a PDF and unfold, loop or never end."""
    packed = zlib.compress(b" " * 60_000_000, 9)
    long = zlib.compress(b"BT (a) Tj ET\n" * 400_000, 9)
    return {
        "a stream that unfolds": _pdf(content=_stream(packed, "/Filter /FlateDecode")),
        "a stream that unfolds twice": _pdf(
            content=_stream(zlib.compress(packed, 9), "/Filter [/FlateDecode /FlateDecode]")
        ),
        "a page without end": _pdf(content=_stream(long, "/Filter /FlateDecode")),
        "a drawing that draws itself": _pdf(content=_stream(b"/X Do /X Do", ""), drawing=b"/X Do /X Do"),
        "pages that hold themselves": _pdf(content=_stream(b"", ""), kids="2 0 R 2 0 R"),
        "a million pages": _pdf(content=_stream(b"", ""), kids="3 0 R " * 50_000),
        "objects that name each other": b"%PDF-1.4\n1 0 obj\n2 0 R\nendobj\n2 0 obj\n1 0 R\nendobj\ntrailer\n<< /Root 1 0 R >>\n",
        "arrays in arrays": b"%PDF-1.4\n1 0 obj\n" + b"[" * 200_000 + b"\nendobj\ntrailer\n<< /Root 1 0 R >>\n",
        "nothing after its first bytes": b"%PDF-1.4\n",
    }


def _stream(content: bytes, more: str) -> bytes:
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(content), more.encode(), content)


def _pdf(*, content: bytes, kids: str = "3 0 R", drawing: bytes = b"") -> bytes:
    """A file of one page, without a table of its objects: readers look for them."""
    resources = "<< /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> /XObject << /X 5 0 R >> >>"
    form = f"/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources {resources}"
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {kids.count('R')} >>".encode(),
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R /Resources {resources} >>".encode(),
        content,
        _stream(drawing, form),
    )
    body = b"".join(b"%d 0 obj\n%s\nendobj\n" % (rank, one) for rank, one in enumerate(objects, 1))
    return b"%PDF-1.4\n" + body + b"trailer\n<< /Root 1 0 R /Size 6 >>\nstartxref\n0\n%%EOF\n"


@lru_cache(maxsize=1)
def bomb() -> bytes:
    """Two hundred megabytes of blanks in two hundred kilobytes."""
    return gzip.compress(b" " * 200_000_000, 9)


def json_attacks() -> dict[str, bytes]:
    """By name: what a reader of JSON may choke on."""
    return {
        "deep": b"[" * 1_000_000,
        "deep objects": b'{"a":' * 200_000 + b"1" + b"}" * 200_000,
        "a number of a million digits": b'{"header":{"statut":' + b"9" * 1_000_000 + b"}}",
        "no number": b'{"header":{"statut":NaN}}',
        "lone surrogates": b'{"uniteLegale":{"siren":"\\ud800"}}',
        "NUL bytes": b"\0" * 100_000,
        "the same key, many times": b"{" + b'"header":1,' * 100_000 + b'"header":1}',
    }


def as_base64(content: bytes) -> bytes:
    return base64.b64encode(content)
