"""The HTTP answers of the GraphQL endpoint."""

from starlette.responses import Response

from graph.answers import Body, encode, refusal
from graph.asking import LEGACY, MODERN


def too_many(wait: int, media_type: str, request_id: str) -> Response:
    body = refusal(
        f"Trop de requêtes depuis cette adresse. Réessayez dans {wait} s.",
        "TOO_MANY_REQUESTS",
        request_id,
        codeApiEntreprise="00429",
        reessayable=True,
        reessayerDans=wait,
    )
    response = json_answer(body, 429, media_type, request_id)
    response.headers["Retry-After"] = str(wait)
    return response


def json_answer(body: Body, status: int, media_type: str, request_id: str) -> Response:
    return JsonAnswer(encode(body), status, _CONTENT_TYPES[media_type], request_id)


class JsonAnswer(Response):
    """An answer whose headers are always the same four: Starlette's own way to them costs more than all the rest."""

    def __init__(self, content: bytes, status: int, content_type: bytes, request_id: str) -> None:
        self.status_code = status
        self.body = content
        self.background = None
        self.raw_headers = [
            (b"content-type", content_type),
            (b"content-length", str(len(content)).encode()),
            (b"x-request-id", request_id.encode()),
            (b"cache-control", b"no-store"),
        ]


_CONTENT_TYPES = {name: f"{name}; charset=utf-8".encode() for name in (MODERN, LEGACY)}
