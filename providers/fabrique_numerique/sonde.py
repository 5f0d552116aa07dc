"""The probe of siret2idcc: its own page of health, at the root of its host. Source: public service siret2idcc."""

from datetime import timedelta
from typing import Final

import httpx

from providers.declaration import Access, Call, Probe
from providers.reading import json_object


def call(access: Access) -> Call:
    base = access.settings["url"]
    return Call(method="GET", url=str(httpx.URL(base).join("/healthz")) if base else "")


def healthy(response: httpx.Response) -> bool:
    return response.status_code == 200 and json_object(response.content).get("success") is True


PROBE: Final = Probe(call=call, healthy=healthy, every=timedelta(minutes=1))
