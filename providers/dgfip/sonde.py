"""DGFIP's probe: the operation of Adélie that says whether it is up, by its status. Source: DGFIP, service Adélie."""

from datetime import timedelta
from typing import Final

import httpx

from providers.declaration import Access, Call, Probe
from providers.dgfip import wire


def call(access: Access) -> Call:
    """The headers of every operation, without the consumer: it asks on nobody's behalf."""
    return Call(method="GET", url=wire.url_of(access, "etatSante"), headers=wire.headers_of(access))


def healthy(response: httpx.Response) -> bool:
    """Adélie's page of errors may come with status 200."""
    wire.refuse_failure(response)
    return response.status_code == 200


PROBE: Final = Probe(call=call, healthy=healthy, every=timedelta(minutes=5))
