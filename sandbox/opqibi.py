"""OPQIBI's service, simulated: one JSON certificate by SIREN, ASCII escapes, and a French reason phrase.

"Not found" comes with raw UTF-8 accents in the status line, which no ASGI server lets an application choose: it
is written to the connection itself, where there is one.
"""

import asyncio
import json
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send
from stdnum import luhn

from sandbox.clock import CLOCK
from sandbox.personas import Company, company

QUALIFIED: Final = frozenset({"clair-vallon", "groupe"})
"""The personas that hold a certificate."""

_SENTENCE: Final = "Aucun certificat trouvé pour cette société qualifiée"
_QUALIFICATIONS: Final = (
    ("0103", "Étude de projets courants en géotechnique"),
    ("1201", "Étude de structures béton courantes"),
    ("1312", "Étude d'installations courantes de chauffage et de ventilation"),
    ("1905", "Audit énergétique des bâtiments (tertiaires et/ou habitations collectives)"),
    ("2008", "Ingénierie des installations de production utilisant la biomasse"),
)


class _NotFound(Response):
    """A 404 whose reason phrase is French, accents included."""

    media_type = "text/html"

    def __init__(self) -> None:
        super().__init__(_SENTENCE, 404)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        transport = _transport_below(send)
        if transport is None:
            await super().__call__(scope, receive, send)
            return
        body = bytes(self.body)
        head = (
            f"HTTP/1.1 404 Société non trouvée ou non qualifiée\r\ncontent-type: {self.headers['content-type']}\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        transport.write(head.encode() + body)
        transport.close()
        async with asyncio.timeout(10):
            while (await receive())["type"] != "http.disconnect":
                pass


def _transport_below(send: Any) -> asyncio.Transport | None:
    """The connection under the layers that the framework wraps around uvicorn's `send`; none in memory."""
    while send is not None:
        transport = getattr(getattr(send, "__self__", None), "transport", None)
        if isinstance(transport, asyncio.Transport):
            return transport
        names = getattr(getattr(send, "__code__", None), "co_freevars", ())
        send = send.__closure__[names.index("send")].cell_contents if "send" in names else None
    return None


async def certificat(request: Request) -> Response:
    """The certificate of one company."""
    siren = request.path_params["siren"]
    known = company(siren) if len(siren) == 9 and siren.isascii() and luhn.is_valid(siren) else None
    if known is None or known.duplicate_of:
        return _NotFound()
    fate, chance = known.fate("opqibi"), known.draw("opqibi")
    if fate == "panne":
        return Response("<html>Service indisponible</html>", 503, media_type="text/html")
    qualified = known.slug in QUALIFIED if known.slug else known.ceased is None and chance.random() < 0.8
    if fate in ("refus", "hors_perimetre", "interdite") or not qualified:
        return _NotFound()
    # Escaped as the service does: ASCII only, slashes too.
    body = json.dumps(_certificat(known), ensure_ascii=True, separators=(",", ":")).replace("/", "\\/")
    return Response(
        body,
        headers={
            "Content-Type": "application/json",
            "Cache-Control": "private, max-age=3600",
            "Set-Cookie": "device_view=full; path=/; httponly",
        },
    )


def _certificat(known: Company) -> dict[str, Any]:
    chance = known.draw("opqibi/certificat")
    issued = CLOCK.recent_day(chance)
    held = chance.sample(_QUALIFICATIONS, chance.randint(1, 4))
    number = f"{issued:%y} {chance.randint(1, 12):02d} {chance.randint(1, 9999):04d}"
    tried = [] if chance.random() < 0.6 else [held.pop()]
    body: dict[str, Any] = {
        "numero_certificat": number,
        "date_de_delivrance_du_certificat": f"{issued:%d/%m/%Y}",
        "duree_de_validite_du_certificat": "Un an",
        "assurance": chance.choice(("ASSUREUR UN", "ASSUREUR UN - ASSUREUR DEUX")),
        "url": f"https://certificats.exemple.fr/{number.replace(' ', '')}",
        "qualifications": [_qualification(code, name) for code, name in held],
        "date_de_validite_des_qualification": f"{issued.replace(year=issued.year + 4):%d/%m/%Y}",
        "qualifications_probatoires": [_qualification(code, name) for code, name in tried],
    }
    if tried:
        end = issued.replace(year=issued.year + 1)
        body["date_de_validite_des_qualifications_probatoires"] = f"{end:%d/%m/%Y}"
    return body


def _qualification(code: str, name: str) -> dict[str, str]:
    return {
        "CodeQualification": code,
        "Nom": name,
        "Definition": f"{name}.<br />Définition d'exemple.",
        "rge": "1" if code == "1905" else "0",
    }


ROUTES: list[Route] = [Route("/certificats/{siren}", certificat)]
