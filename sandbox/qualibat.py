"""Qualibat, simulated: a token, then an encrypted PDF, or "not found" as JSON inside an HTTP 200.

Certificates are printed in columns, encrypted (RC4) with an empty user password and the "no copy" flag; vertical text
runs along the margin. The same SIRET always gives the same file.
"""

import base64
import secrets
from datetime import date
from functools import lru_cache
from random import Random
from typing import Final

import orjson
from fpdf import FPDF
from fpdf.enums import AccessPermission, EncryptionMethod
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.clock import CLOCK
from sandbox.pdf import PRINTED
from sandbox.personas import Company, Site, site

CERTIFIED: Final = frozenset({"clair-vallon", "terrassement"})
"""The personas that hold a certificate."""
CREDENTIALS: Final = b"sandbox:sandbox"
TOKENS: set[str] = set()
"""Tokens given since the start; a test empties it to have one refused."""

_JSON: Final = "application/json"
_ROWS: Final = (
    ("1311", "Terrassement (technicité courante)"),
    ("1321", "Voirie et réseaux (technicité courante)"),
    ("2112", "Maçonnerie et béton armé, surface de"),
    ("3511", "Menuiserie extérieure"),
    ("4311", "Menuiserie intérieure en bois"),
    ("5111", "Plomberie sanitaire"),
    ("5911", "Chauffage au bois"),
    ("7131", "Isolation par l'intérieur"),
    ("9112", "Agencement de locaux"),
)
_HEADING: Final = " Code    Qualification(s) en cours de validité                  Effectif   * Date d'attribution"
_INSURANCES: Final = (
    "MAAF 990011 / B", "SMABTP 1240000A/001 234567", "AXA FRANCE IARD 0000001234", "Exemple Mutuelle 77", "SMA SA 77",
)  # fmt: skip
_OTHER_KINDS: Final = ("TRAITEMENT DE L'AMIANTE", "CORDISTES", "MÉTALLERIE FEU", "TRAITEMENT DES BOIS")


async def token(request: Request) -> Response:
    """A token for half an hour; its life has a decimal point."""
    given = request.headers.get("authorization", "").removeprefix("Basic ")
    if given != base64.b64encode(CREDENTIALS).decode():
        return Response(b'{"detail":"Incorrect username or password"}', 401, media_type=_JSON)
    value = f"eyJhbGciOiJIUzI1NiJ9.{secrets.token_urlsafe(24)}.sandbox"
    TOKENS.add(value)
    body = orjson.dumps({"access_token": value, "token_type": "bearer", "expires_in": 1800.0})
    return Response(body, media_type=_JSON)


async def certificat(request: Request) -> Response:
    """A certificate, or one of the ways of having none."""
    if request.headers.get("authorization", "").removeprefix("Bearer ") not in TOKENS:
        return Response(b'{"detail":"Could not validate credentials"}', 401, media_type=_JSON)
    siret = request.path_params["siret"]
    place = site(siret) if len(siret) == 14 and siret.isascii() and siret.isdigit() else None
    if place is None or place[0].duplicate_of:
        return _not_found()
    known, where = place
    fate, chance = known.fate("qualibat"), known.draw(f"qualibat/{siret}")
    if fate == "panne":
        return Response(b"Internal Server Error", 500, media_type="text/plain")
    certified = known.slug in CERTIFIED if known.slug else known.ceased is None and chance.random() < 0.8
    if fate in ("refus", "hors_perimetre", "interdite") or not certified or where.closed:
        return _not_found() if chance.random() < 0.9 else Response(b'{"detail":"Not Found"}', 404, media_type=_JSON)
    if not known.slug and chance.random() < 0.02:
        return Response(b"", media_type="application/pdf")
    content = certificate(siret)
    return Response(
        content,
        media_type="application/pdf",
        headers={
            "Content-Disposition": f'attachment; filename="certificat-{siret}.pdf"',
            "Last-Modified": "Wed, 01 Jan 2025 00:00:00 GMT",
            "Etag": f'"{siret}-{len(content)}"',
        },
    )


def _not_found() -> Response:
    body = {"status_code": 404, "error": "Not Found", "message": "Aucun certificat pour ce Siret"}
    return Response(orjson.dumps(body), media_type=_JSON)


# --- The certificate -----------------------------------------------------------------------------


def certificate(siret: str) -> bytes:
    """The PDF of an establishment; now and then one of another kind, or one that says nothing."""
    place = site(siret)
    if place is None:
        raise ValueError(siret)
    known, where = place
    chance = known.draw(f"qualibat/pdf/{siret}")
    if not known.slug and chance.random() < 0.06:
        return print_pdf(f"CERTIFICAT QUALIBAT\n{chance.choice(_OTHER_KINDS)}\n ÉDITÉ LE 02/07/2024")
    if not known.slug and chance.random() < 0.03:
        return print_pdf("DOCUMENT D'EXEMPLE")
    issued = CLOCK.recent_day(chance)
    held = chance.sample(_ROWS, chance.randint(2, 5))
    pages = [_first_page(known, where, held, issued, chance)]
    if chance.random() < 0.6:
        pages.append(_rge_page(held[-1], issued))
    pages.append("ANNEXE AU CERTIFICAT QUALIBAT 2025\n Texte d'exemple.")
    return print_pdf(*pages)


def _first_page(known: Company, where: Site, held: list[tuple[str, str]], issued: date, chance: Random) -> str:
    name = known.display_name
    until = issued.replace(year=issued.year + 1)
    lines = [
        " Accréditation d'exemple",
        "                         CERTIFICAT QUALIBAT",
        f"              NUMÉRO E-E{known.siren[-6:]}          VALABLE JUSQU'AU {until:%d/%m/%Y}",
        f"                         ÉDITÉ LE {issued:%d/%m/%Y}",
        "                  SITUATION ADMINISTRATIVE ET JURIDIQUE",
        f" {name[:40]:<52}Siret : {where.siret}",
        " Assurance Responsabilité Travaux :",
        f" {chance.choice(_INSURANCES):<52}Site Internet : exemple.fr",
        " Assurance Responsabilité Civile :",
        f" {chance.choice(_INSURANCES):<52}Situation fiscale et sociale : A jour",
        _HEADING,
    ]
    for code, label in held:
        lines += _row(code, label, issued.replace(year=issued.year - 2), wrapped=label.endswith("de"))
    return "\n".join([*lines, f" Nombre total de qualifications : {len(held)}"])


def _row(code: str, label: str, day: date, *, wrapped: bool) -> list[str]:
    if wrapped:
        return [
            f"         {label}",
            f" {code:<8}{'':<56}4         {day:%d/%m/%Y}",
            "         1000 m2 (technicité confirmée)",
        ]
    return [f" {code:<8}{label:<56}2         {day:%d/%m/%Y}"]


def _rge_page(row: tuple[str, str], issued: date) -> str:
    code, label = row
    granted = issued.replace(year=issued.year - 1)
    return "\n".join(
        [
            "                         CERTIFICAT QUALIBAT « RGE »",
            _HEADING,
            f" {code:<8}{label.removesuffix(', surface de') + ' - Mention RGE':<56}2         {granted:%d/%m/%Y}",
            " Catégories de travaux RGE couvertes",
            f" o Catégorie d'exemple                                             {granted:%d/%m/%Y}",
        ]
    )


@lru_cache(maxsize=512)
def print_pdf(*pages: str, user_password: str = "") -> bytes:
    """An encrypted PDF with one page for each text, columns kept; always the same bytes for the same texts."""
    pdf = FPDF()
    pdf.set_creation_date(PRINTED)
    pdf.set_encryption(
        owner_password="bac-a-sable",
        user_password=user_password,
        encryption_method=EncryptionMethod.RC4,
        permissions=AccessPermission.PRINT_LOW_RES,
    )
    pdf.set_font("Courier", size=8)
    for page in pages:
        pdf.add_page()
        for line in page.splitlines():
            pdf.cell(0, 4, line, new_x="LMARGIN", new_y="NEXT")
        with pdf.rotation(90, 5, 200):
            pdf.text(5, 200, "Certificat délivré dans le bac à sable")
    return bytes(pdf.output())


ROUTES: list[Route] = [
    Route("/token", token, methods=["POST"]),
    Route("/certificat/{siret}", certificat),
]
