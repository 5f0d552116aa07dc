"""VIES' probe: whether the service and the French administration behind it can be asked. Source: European Commission, VIES."""

from datetime import timedelta
from typing import Final

import httpx

from providers.declaration import Access, Call, Probe
from providers.reading import json_object, needed_node, nodes

_FRANCE: Final = "FR"
_UNAVAILABLE: Final = "Unavailable"


def call(access: Access) -> Call:
    base, found, _ = access.settings["url"].partition("/rest-api/")
    return Call(method="GET", url=f"{base}{found}check-status" if found else "")


def healthy(response: httpx.Response) -> bool:
    """A state that is not watched (`Monitoring Disabled`) is not said to be down."""
    if response.status_code != 200:
        return False
    state = json_object(response.content)
    france = [
        country.get("availability") for country in nodes(state, "countries") if country.get("countryCode") == _FRANCE
    ]
    return needed_node(state, "vow").get("available") is True and _UNAVAILABLE not in france


PROBE: Final = Probe(call=call, healthy=healthy, every=timedelta(minutes=10))
