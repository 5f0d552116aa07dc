"""All simulators in one process, each on a port of its own, and the admin routes that set their conduct.

GET  /                 the simulators and their ports
GET  /compteurs        calls received, by provider and path
POST /conduite         {"fournisseur": "insee", "latence": 0.02, "panne": "reset", "statut": 503, "fois": 1}
POST /remise-a-zero    ordinary conduct and zero calls everywhere
"""

import asyncio
from collections.abc import Mapping
from typing import Any

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox import (
    acoss,
    ademe,
    agence_bio,
    banque_de_france,
    carif_oref,
    cibtp,
    cma_france,
    cnetp,
    commission_europeenne,
    data_subvention,
    dgfip,
    douanes,
    fabrique_numerique,
    fntp,
    gip_mds,
    infogreffe,
    inpi,
    inpi_rne,
    insee,
    ministere_interieur,
    msa,
    opqibi,
    probtp,
    qualibat,
    qualifelec,
)
from sandbox.clock import CLOCK
from sandbox.faults import Conduct, Fault, Faulty

SIMULATORS: Mapping[str, list[Route]] = {
    "insee": insee.ROUTES,
    "infogreffe": infogreffe.ROUTES,
    "dgfip": dgfip.ROUTES,
    "acoss": acoss.ROUTES,
    "inpi_rne": inpi_rne.ROUTES,
    "inpi": inpi.ROUTES,
    "qualibat": qualibat.ROUTES,
    "cnetp": cnetp.ROUTES,
    "probtp": probtp.ROUTES,
    "msa": msa.ROUTES,
    "opqibi": opqibi.ROUTES,
    "fntp": fntp.ROUTES,
    "fabrique_numerique": fabrique_numerique.ROUTES,
    "cma_france": cma_france.ROUTES,
    "douanes": douanes.ROUTES,
    "banque_de_france": banque_de_france.ROUTES,
    "agence_bio": agence_bio.ROUTES,
    "ademe": ademe.ROUTES,
    "commission_europeenne": commission_europeenne.ROUTES,
    "ministere_interieur": ministere_interieur.ROUTES,
    "gip_mds": gip_mds.ROUTES,
    "qualifelec": qualifelec.ROUTES,
    "carif_oref": carif_oref.ROUTES,
    "cibtp": cibtp.ROUTES,
    "data_subvention": data_subvention.ROUTES,
}
"""Routes of each simulated provider, by the id of its room."""


class Sandbox:
    """The simulators and how each behaves now."""

    def __init__(self) -> None:
        self.conducts: dict[str, Conduct] = {name: Conduct() for name in SIMULATORS}
        self.apps = {name: Faulty(Starlette(routes=routes), self.conducts[name]) for name, routes in SIMULATORS.items()}

    def reset(self) -> None:
        CLOCK.run()
        for conduct in self.conducts.values():
            conduct.reset()

    def admin(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/", self._index),
                Route("/compteurs", self._counters),
                Route("/conduite", self._conduct, methods=["POST"]),
                Route("/remise-a-zero", self._reset, methods=["POST"]),
            ]
        )

    async def _index(self, _request: Request) -> Response:
        return JSONResponse({"fournisseurs": sorted(self.conducts), "pannes": [fault.value for fault in Fault]})

    async def _counters(self, _request: Request) -> Response:
        return JSONResponse({name: dict(conduct.calls) for name, conduct in self.conducts.items()})

    async def _reset(self, _request: Request) -> Response:
        self.reset()
        return JSONResponse({})

    async def _conduct(self, request: Request) -> Response:
        try:
            wish: dict[str, Any] = orjson.loads(await request.body())
            names = [wish["fournisseur"]] if wish.get("fournisseur") else list(self.conducts)
            for name in names:
                self.set(name, wish)
        except (orjson.JSONDecodeError, KeyError, ValueError, TypeError) as error:
            return JSONResponse({"erreur": f"Conduite illisible : {type(error).__name__} {error}"}, 400)
        return JSONResponse({})

    def set(self, name: str, wish: Mapping[str, Any]) -> None:
        """Change the conduct of one simulator; keys that `wish` lacks keep their value."""
        conduct = self.conducts[name]
        conduct.latency = float(wish.get("latence", conduct.latency))
        conduct.fault = Fault(wish.get("panne", conduct.fault))
        conduct.status = int(wish.get("statut", conduct.status))
        conduct.retry_after = wish.get("reessayer_dans", conduct.retry_after)
        conduct.only = str(wish.get("chemin", conduct.only))
        conduct.times = wish.get("fois", conduct.times)


async def serve(sandbox: Sandbox, host: str, admin_port: int, ports: Mapping[str, int]) -> None:
    """Serve until cancelled; each simulator on its port, the admin routes on theirs."""
    servers = [_server(sandbox.admin(), host, admin_port)]
    servers += [_server(app, host, ports[name]) for name, app in sandbox.apps.items()]
    running = [asyncio.ensure_future(server.serve()) for server in servers]
    try:
        await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for server in servers:
            server.should_exit = True
            server.force_exit = True
        await asyncio.gather(*running, return_exceptions=True)


class _QuietServer(uvicorn.Server):
    """Leaves signals to whoever runs the simulators."""

    def install_signal_handlers(self) -> None:
        return


def _server(app: Any, host: str, port: int) -> uvicorn.Server:
    config = uvicorn.Config(
        app, host=host, port=port, log_level="warning", lifespan="off", server_header=False, date_header=False
    )
    return _QuietServer(config)
