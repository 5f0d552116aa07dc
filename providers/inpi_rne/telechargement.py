"""The PDFs that stay at the register: how each one is fetched, and what its answer must be.

A reference is `actes/<id>`, `bilans/<id>` or `extrait/<SIREN>`. The files are large scans: they are relayed as they
come, so that a judgement is made on the status and on the first bytes only. Source: INPI, RNE API.
"""

import re
from datetime import timedelta
from typing import Final

import httpx
import strawberry

from providers.declaration import Access, Call, Download, Timeouts
from providers.errors import TimedOut, Unavailable, Unreadable
from providers.identifiers import Siren
from providers.inpi_rne import wire
from providers.record import DocumentDistant

PDF: Final = "application/pdf"
ZIP: Final = "application/zip"

_ID: Final = re.compile(r"[0-9a-f]{24}\Z")


def identifiant(value: object) -> str:
    """The id of a document: without a true one there is nothing to download. It becomes part of an address."""
    if not isinstance(value, str) or not _ID.match(value):
        raise Unreadable
    return value


def depose(kind: str, id_: str, name: str | None, *, subject: Siren, dataset: str) -> DocumentDistant:
    """An acte (`actes`) or an account (`bilans`)."""
    return DocumentDistant(
        id=strawberry.ID(id_),
        nom=_file_name(name or f"{kind}_{id_}"),
        type=PDF,
        reference=f"{kind}/{id_}",
        sujet=subject,
        jeu_de_donnees=dataset,
    )


def attestation(siren: Siren, *, dataset: str) -> DocumentDistant:
    """The certificate of registration of a company."""
    return DocumentDistant(
        id=strawberry.ID(siren),
        nom=f"attestation_immatriculation_rne_{siren}.pdf",
        type=PDF,
        reference=f"extrait/{siren}",
        sujet=siren,
        jeu_de_donnees=dataset,
    )


def _file_name(name: str) -> str:
    """A name that is safe in a header and on a disk: the provider's own, less whatever is not plain."""
    kept = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "-_.") else "_" for letter in name)
    return f"{kept[:120]}.pdf"


def call(reference: str, access: Access) -> Call:
    """The call that fetches a document."""
    kind, _, id_ = reference.partition("/")
    if kind == "extrait":
        # Brackets and quotes of `ids=["…"]` are written encoded, as the service wants them.
        url = f"{access.settings['url_export']}/export/companies?format=pdf&ids=%5B%22{id_}%22%5D"
        return Call(method="GET", url=url, headers=wire.headers(access))
    return wire.get(access, f"/api/{kind}/{identifiant(id_)}/download")


def refuse_failure(response: httpx.Response) -> None:
    """What a failing download means."""
    if response.status_code == 403:
        # The protection of the content delivery network, which lets the same call through later.
        raise Unavailable
    if response.status_code == 504:
        raise TimedOut(subcode="052")
    wire.refuse_other_than_ok(response, internal="999")


def media_type(start: bytes) -> str:
    """What a document is, by its first bytes: the announced type lies when a ZIP holds the PDF."""
    if not start:
        raise Unreadable("Le fournisseur a remis un document vide.", "056")
    if start.startswith(b"%PDF-"):
        return PDF
    if start.startswith(b"PK"):
        return ZIP
    raise Unreadable("Le fournisseur a remis un document qui n'est pas un PDF.", "055")


DOWNLOAD: Final = Download(
    call=call,
    refuse=refuse_failure,
    media_type=media_type,
    timeouts=Timeouts(connect=timedelta(seconds=10), read=timedelta(seconds=30), total=timedelta(minutes=5)),
    # Scans of a whole file of accounts run to tens of megabytes.
    max_bytes=300_000_000,
    max_concurrency=3,
)
