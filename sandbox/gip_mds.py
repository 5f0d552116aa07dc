"""The GIP-MDS, simulated: a token service and the operation `effectifs` behind a WSO2 gateway.

Both regimes are always answered, `NC` where there is nothing; the order of the lines means nothing. A depth of n
gives n + 1 months.
"""

import random
import secrets
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import Any, Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.clock import CLOCK
from sandbox.personas import Company, Site, company, site

CLIENT: Final = ("sandbox", "sandbox")
CODE_OPS: Final = "00000DINUM"
EXPIRES_IN: Final = 3600
MAX_DEPTH: Final = 13
_FARMING: Final = ("01.", "02.", "03.")
_SHARES: Final = {"01": 1.0, "02": 0.05, "03": 0.01, "04": 0.97}
_ABBREVIATIONS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass
class MinuteQuota:
    """Calls of the last minute; mutable on purpose. Off unless `limit` is set."""

    limit: int | None = None
    calls: deque[datetime] = field(default_factory=deque)

    def used_up(self, now: datetime) -> bool:
        if self.limit is None:
            return False
        while self.calls and self.calls[0] < now - timedelta(minutes=1):
            self.calls.popleft()
        self.calls.append(now)
        return len(self.calls) > self.limit


QUOTA = MinuteQuota()
TOKENS: set[str] = set()
"""Tokens given since the start; a test empties it to have one refused."""


async def token(request: Request) -> Response:
    """OAuth2 client credentials, without any scope."""
    form = await request.form()
    if (form.get("client_id"), form.get("client_secret")) != CLIENT:
        return JSONResponse({"error": "invalid_client"}, 401)
    if form.get("grant_type") != "client_credentials":
        return JSONResponse({"error": "unsupported_grant_type"}, 400)
    given = f"eyJ{secrets.token_urlsafe(16)}.eyJ{secrets.token_urlsafe(16)}.sig"
    TOKENS.add(given)
    return JSONResponse({
        "access_token": given, "scope": "am_application_scope default", "token_type": "Bearer", "expires_in": EXPIRES_IN,
    })  # fmt: skip


async def effectifs(request: Request) -> Response:
    """The counts of one company (by year) or of one establishment (by month)."""
    now = CLOCK()
    if request.headers.get("authorization", "").removeprefix("Bearer ") not in TOKENS:
        return JSONResponse({"code": 900901, "message": "Invalid Credentials"}, 401)
    if QUOTA.used_up(now):
        return _quota(now, as_json=False)
    query = request.query_params
    if query.get("codeOPSDemandeur") != CODE_OPS:
        return JSONResponse({"code": 900908, "message": "Resource forbidden"}, 403)
    if not _well_formed(query.get("dateHeure", ""), query.get("source", "")):
        return _fault(400)
    return _yearly(query) if "siren" in query else _monthly(query)


def _well_formed(instant: str, source: str) -> bool:
    try:
        return datetime.fromisoformat(instant).tzinfo is not None and source == "RA;RG"
    except ValueError:
        return False


def _yearly(query: Any) -> Response:
    nature, period, siren = query.get("nature", ""), query.get("periode", ""), query["siren"]
    if nature not in ("A01", "A02", "A03", "A04") or not period.isdigit() or len(period) != 8 or period[4:] != "1231":
        return _fault(400)
    known = company(siren) if len(siren) == 9 and siren.isdigit() else None
    if known is None:
        return _nothing()
    return _answer(known, None, nature, [date(max(int(period[:4]), 1), 12, 31)])


def _monthly(query: Any) -> Response:
    nature, period, siret = query.get("nature", ""), query.get("periode", ""), query.get("siret", "")
    depth = query.get("profondeurHistorique", "0")
    months = _months(period, depth)
    if nature not in ("M01", "M02", "M03", "M04") or months is None:
        return _fault(400)
    found = site(siret) if len(siret) == 14 and siret.isdigit() else None
    return _nothing() if found is None else _answer(found[0], found[1], nature, months)


def _months(period: str, depth: str) -> list[date] | None:
    """The month asked and those before it, as the first day of each."""
    if not depth.isdigit() or int(depth) > MAX_DEPTH or len(period) != 8:
        return None
    try:
        first = datetime.strptime(period, "%Y%m%d").replace(tzinfo=UTC).date()
        if first.day != 1:
            return None
        months = [first]
        for _ in range(int(depth)):
            months.append((months[-1] - timedelta(days=1)).replace(day=1))
    except (ValueError, OverflowError):
        return None
    return months


def _answer(known: Company, place: Site | None, nature: str, periods: list[date]) -> Response:
    match known.fate("gip_mds"):
        case "panne":
            return Response("<html>Service indisponible</html>", 503, media_type="text/html")
        case "refus" | "hors_perimetre" | "interdite":
            return _nothing()
    if known.duplicate_of or (known.is_person and known.staff == "NN"):
        return _nothing()
    chance = known.draw("gip_mds")
    if not known.slug and (other := _other(chance)) is not None:
        return other
    opened, closed = (place.opened, place.closed) if place else (known.created, known.ceased)
    if periods[0] < opened.replace(day=1) or periods[0] > CLOCK().date() or (closed and periods[-1] > closed):
        return _nothing()
    lines = [_line(known, place, nature, period, source) for period, source in product(periods, ("RA", "RG"))]
    chance.shuffle(lines)
    return JSONResponse(lines)


def _other(chance: random.Random) -> Response | None:
    """One of the rare answers of the gateway; mostly none of them."""
    outcome = chance.choices(("", "204", "404", "ko", "quota", "500"), (90, 3, 3, 2, 1, 1))[0]
    match outcome:
        case "204":
            return Response(status_code=204)
        case "404":
            return _nothing()
        case "ko":
            return _fault(chance.choice((200, 400)))
        case "quota":
            return _quota(CLOCK(), as_json=chance.random() < 0.5)
        case "500":
            return JSONResponse({"code": "500", "message": "Erreur interne"}, 500)
    return None


def _line(known: Company, place: Site | None, nature: str, period: date, source: str) -> dict[str, str]:
    subject = {"siret": place.siret} if place else {"siren": known.siren}
    line = {**subject, "periode": f"{period:%Y%m%d}", "nature": nature, "source": source}
    farming = known.naf.startswith(_FARMING)
    size = known.headcount / (_open_sites(known, period) if place else 1)
    if not size or farming != (source == "RA"):
        return {**line, "effectifs": "NC"}
    # The same unit at the same period always has the same count.
    chance = known.draw(f"gip_mds/{period:%Y%m}")
    count = size * _SHARES[nature[1:]] * chance.uniform(0.95, 1.05)
    written = str(round(count)) if chance.random() < 0.1 else f"{count:.2f}"
    updated = f"{period + timedelta(days=63):%Y-%m-%d}"
    spelling = "miseAjourRCD" if chance.random() < 0.1 else "miseAJourRCD"
    return {**line, "effectifs": written, spelling: "" if chance.random() < 0.03 else updated}


def _open_sites(known: Company, month: date) -> int:
    """The establishments among which the company's staff is shared."""
    return sum(place.opened <= month and (place.closed is None or place.closed > month) for place in known.sites) or 1


def _nothing() -> Response:
    return JSONResponse({"code": "404", "message": "Aucun effectif"}, 404)


def _fault(status: int) -> Response:
    return JSONResponse({"code": "KO_TECHNIQUE", "message": "Erreur technique"}, status)


def _quota(now: datetime, *, as_json: bool) -> Response:
    """The next access is at the next minute; the gateway was seen answering in form encoding."""
    at = (now + timedelta(minutes=1)).replace(second=0)
    told = {
        "code": "900803", "description": "Quota depasse", "message": "Message limite",
        "nextAccessTime": f"{at:%Y}-{_ABBREVIATIONS[at.month - 1]}-{at:%d %H:%M:%S}+0000 UTC",
    }  # fmt: skip
    if as_json:
        return JSONResponse(told, 429)
    return Response(urlencode(told), 429, media_type="application/x-www-form-urlencoded")


ROUTES: list[Route] = [
    Route("/token", token, methods=["POST"]),
    Route("/rcd-api/1.0.0/effectifs", effectifs),
]
