"""INSEE's probe: what the service says of its own state. Source: INSEE, API Sirene 3.11, `GET /informations`."""

from datetime import timedelta
from typing import Final

import httpx

from providers.declaration import Access, Call, Probe
from providers.insee import wire


def call(access: Access) -> Call:
    return wire.get(access, "/informations")


def healthy(response: httpx.Response) -> bool:
    return response.status_code == 200 and wire.json_object(response).get("etatService") == "UP"


PROBE: Final = Probe(call=call, healthy=healthy, every=timedelta(minutes=2))
