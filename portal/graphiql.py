"""GraphiQL served by the service itself: no third party, no token in the page.

The page asks `POST /graphiql/graphql`; the token travels in a sealed cookie that only this page's own paths receive.
Three things together keep another site from using that cookie: `SameSite=Strict`, a header no form can send, and
a content type no form can send. When the built assets are absent, a plain page takes their place and says so.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from portal.session import LIFE, MAX_TOKEN_LENGTH, Seal, Session, is_token
from portal.tabs import Tab

Answer = Callable[[Request, str], Awaitable[Response]]
Endpoint = Callable[[Request], Awaitable[Response]]

PATH = "/graphiql"
COOKIE = "graphiql"
API_PATH = "/graphql"
STATIC = Path(__file__).parent / "static"
PASTED = "Jeton collé"

# Monaco writes <style> elements and style attributes for every line it draws: without 'unsafe-inline' for styles the
# editor is unreadable. Scripts and workers come from files of this service, nothing is evaluated.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self' data:; "
    "img-src 'self' data:; connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
SECURITY_HEADERS = MappingProxyType(
    {
        "Content-Security-Policy": CONTENT_SECURITY_POLICY,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
)
PRIVATE_HEADERS = MappingProxyType({**SECURITY_HEADERS, "Cache-Control": "no-store"})

# Said here rather than guessed from the machine's table, which differs between images.
MEDIA_TYPES = MappingProxyType(
    {
        ".css": "text/css; charset=utf-8",
        ".js": "text/javascript; charset=utf-8",
        ".svg": "image/svg+xml",
        ".ttf": "font/ttf",
        ".woff2": "font/woff2",
    }
)

# Credentials a caller could add beside the cookie: one request has one token, the one of the session.
_OTHER_CREDENTIALS = frozenset({b"authorization", b"x-api-key", b"cookie"})
_MAX_SESSION_BODY = 2 * MAX_TOKEN_LENGTH


class RefusedError(Exception):
    """A request this page never makes; told as a GraphQL error."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def _telling_refusals(endpoint: Endpoint) -> Endpoint:
    async def told(request: Request) -> Response:
        try:
            return await endpoint(request)
        except RefusedError as refusal:
            error = {"message": refusal.message, "extensions": {"code": refusal.code}}
            return JSONResponse({"errors": [error]}, status_code=refusal.status, headers=PRIVATE_HEADERS)

    return told


def routes(
    *,
    answer: Answer,
    secret: str,
    tabs: Sequence[Tab],
    demo_tokens: Mapping[str, str],
    default_headers: Mapping[str, str],
    secure: bool,
) -> list[Route]:
    """The routes of the page. `answer` answers one GraphQL request with a bearer token.

    `demo_tokens` maps a label to a token; when there is any, a first visit opens a session with the first of them.
    `secure` is false only where the page is served without TLS, on a developer's own machine.
    """
    page = _Page(
        answer=answer,
        seal=Seal(secret),
        folders=(STATIC / "graphiql", STATIC / "simple"),
        tabs=tabs,
        demo_tokens=demo_tokens,
        default_headers=default_headers,
        secure=secure,
    )
    return [
        Route(PATH, page.page, methods=["GET"]),
        Route(f"{PATH}/config.json", page.config, methods=["GET"]),
        Route(f"{PATH}/static/{{path:path}}", page.file, methods=["GET"]),
        Route(f"{PATH}/session", _telling_refusals(page.open_session), methods=["POST"]),
        Route(f"{PATH}/session/fin", _telling_refusals(page.close_session), methods=["POST"]),
        Route(f"{PATH}/graphql", _telling_refusals(page.graphql), methods=["POST"]),
    ]


class _Page:
    """What the page is made of, and its endpoints."""

    def __init__(
        self,
        *,
        answer: Answer,
        seal: Seal,
        folders: Sequence[Path],
        tabs: Sequence[Tab],
        demo_tokens: Mapping[str, str],
        default_headers: Mapping[str, str],
        secure: bool,
    ) -> None:
        self._answer = answer
        self._seal = seal
        self._folders = folders
        self._files = [(folder, StaticFiles(directory=folder, check_dir=False)) for folder in folders]
        self._tabs = [_prepared(tab, default_headers) for tab in tabs]
        self._demo_tokens = demo_tokens
        self._default_headers = default_headers
        self._secure = secure

    async def page(self, _request: Request) -> Response:
        # Chosen at each visit: the build may end after the service has started.
        indexes = (folder / "index.html" for folder in self._folders)
        index = next(path for path in indexes if path.is_file())
        return HTMLResponse(index.read_text(encoding="utf-8"), headers=PRIVATE_HEADERS)

    async def file(self, request: Request) -> Response:
        path = request.path_params["path"]
        present = (files for folder, files in self._files if (folder / path).is_file())
        return await _file(next(present, self._files[-1][1]), path, request.scope)

    async def config(self, request: Request) -> Response:
        # The first visit is opened here and not with the page: a browser that follows a link from another site
        # withholds a strict cookie, and the session already open would be lost.
        session = self._opened(request)
        first_visit = session is None and bool(self._demo_tokens)
        if first_visit:
            session = self._demonstration(next(iter(self._demo_tokens)))
        content = {
            "session": _public(session),
            "demonstrations": list(self._demo_tokens),
            "entetes": dict(self._default_headers),
            "onglets": self._tabs,
            "pointAcces": API_PATH,
        }
        response = JSONResponse(content, headers=PRIVATE_HEADERS)
        return self._keep(response, session) if first_visit and session else response

    async def open_session(self, request: Request) -> Response:
        _check_origin(request)
        match await _session_wish(request):
            case {"demonstration": str(label)} if label in self._demo_tokens:
                session = self._demonstration(label)
            case {"demonstration": _}:
                raise RefusedError(400, "BAD_USER_INPUT", "Ce jeton de démonstration n’existe pas.")
            case {"jeton": str(text)} if is_token(token := _bare(text)):
                session = Session(token=token, label=PASTED, demonstration=False)
            case _:
                raise RefusedError(400, "BAD_USER_INPUT", _UNUSABLE_TOKEN)
        return self._keep(JSONResponse({"session": _public(session)}, headers=PRIVATE_HEADERS), session)

    async def close_session(self, request: Request) -> Response:
        _check_origin(request)
        response = JSONResponse({"session": None}, headers=PRIVATE_HEADERS)
        response.delete_cookie(COOKIE, path=PATH, secure=self._secure, httponly=True, samesite="strict")
        return response

    async def graphql(self, request: Request) -> Response:
        _check_origin(request)
        session = self._opened(request)
        if session is None:
            raise RefusedError(401, "UNAUTHENTICATED", _NO_SESSION)
        response = await self._answer(_without_credentials(request), session.token)
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    def _opened(self, request: Request) -> Session | None:
        return self._seal.open(request.cookies.get(COOKIE))

    def _demonstration(self, label: str) -> Session:
        return Session(token=self._demo_tokens[label], label=label, demonstration=True)

    def _keep(self, response: Response, session: Session) -> Response:
        response.set_cookie(
            COOKIE,
            self._seal.close(session),
            max_age=int(LIFE.total_seconds()),
            path=PATH,
            secure=self._secure,
            httponly=True,
            samesite="strict",
        )
        return response


_NO_SESSION = (
    "Aucune session ouverte, ou session expirée. Cliquez sur « Changer de jeton » et collez votre jeton, "
    "ou choisissez un jeton de démonstration."
)
_UNUSABLE_TOKEN = (
    f"Ce texte n’est pas un jeton utilisable ici : une seule ligne, sans espace, {MAX_TOKEN_LENGTH} caractères au plus."
)


def _prepared(tab: Tab, default_headers: Mapping[str, str]) -> dict[str, object]:
    return {
        "titre": tab.title,
        "requete": tab.query,
        "variables": dict(tab.variables),
        "entetes": {**default_headers, **tab.headers},
    }


def _public(session: Session | None) -> dict[str, object] | None:
    if session is None:
        return None
    return {"libelle": session.label, "demonstration": session.demonstration}


def _bare(text: str) -> str:
    """The token alone: what is pasted often carries its scheme or a line end."""
    return text.strip().removeprefix("Bearer ").strip()


def _check_origin(request: Request) -> None:
    if request.headers.get("x-graphiql") != "1":
        raise RefusedError(
            403, "FORBIDDEN", "Cette adresse n’est servie qu’à la page GraphiQL (en-tête X-Graphiql absent)."
        )
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise RefusedError(415, "BAD_REQUEST", "Le corps doit être annoncé comme application/json.")


async def _session_wish(request: Request) -> object:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_SESSION_BODY:
            raise RefusedError(413, "BAD_REQUEST", _UNUSABLE_TOKEN)
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise RefusedError(400, "BAD_REQUEST", "Le corps n’est pas du JSON.") from None


def _without_credentials(request: Request) -> Request:
    headers = [(name, value) for name, value in request.scope["headers"] if name.lower() not in _OTHER_CREDENTIALS]
    return Request({**request.scope, "headers": headers, "query_string": b""}, request.receive)


async def _file(files: StaticFiles, path: str, scope: Scope) -> Response:
    media_type = MEDIA_TYPES.get(Path(path).suffix)
    if media_type is None:
        raise HTTPException(404)
    response = await files.get_response(path, scope)
    response.headers.update(SECURITY_HEADERS)
    if response.status_code == 200:
        response.headers["Content-Type"] = media_type
    # The build writes a hash into the name of each file of `assets`; the others keep their name when they change.
    hashed = path.startswith("assets/")
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if hashed else "no-cache"
    return response
