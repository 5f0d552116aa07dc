"""The session of the GraphiQL page: a bearer token sealed in a cookie that the page itself cannot read.

Nothing is kept on the server. The seal is made with a key derived from the service's secret, for this use only;
a cookie that was altered, sealed with another secret, or is older than its life, is no session at all.
"""

import json
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from datetime import timedelta

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

LIFE = timedelta(hours=8)

# Browsers drop a cookie above 4,096 bytes without a word; the seal adds a third and the label.
MAX_TOKEN_LENGTH = 2_700
_TOKEN = re.compile(rf"[\x21-\x7e]{{1,{MAX_TOKEN_LENGTH}}}")


@dataclass(frozen=True, kw_only=True)
class Session:
    """Who asks. The token stays out of `repr`, hence out of logs and tracebacks."""

    token: str = field(repr=False)
    label: str
    demonstration: bool


class Seal:
    """Closes a session into a cookie value, and opens it again."""

    def __init__(self, secret: str) -> None:
        derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"graphe-entreprise/graphiql/session")
        self._fernet = Fernet(urlsafe_b64encode(derived.derive(secret.encode())))

    def close(self, session: Session) -> str:
        """The value of the cookie."""
        content = {"jeton": session.token, "libelle": session.label, "demonstration": session.demonstration}
        return self._fernet.encrypt(json.dumps(content).encode()).decode()

    def open(self, cookie: str | None) -> Session | None:
        """The session, or `None` when there is none that can be trusted."""
        if not cookie:
            return None
        try:
            content = json.loads(self._fernet.decrypt(cookie.encode(), ttl=int(LIFE.total_seconds())))
        except InvalidToken:
            return None
        return Session(token=content["jeton"], label=content["libelle"], demonstration=content["demonstration"])


def is_token(text: str) -> bool:
    """Whether `text` may travel in an `Authorization` header and fits in the cookie."""
    return _TOKEN.fullmatch(text) is not None
