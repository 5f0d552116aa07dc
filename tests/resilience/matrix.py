"""The fault matrix: every dataset against every fault, drawn from the declarations and run over real sockets."""

import asyncio
import datetime as dates
import socket
import ssl
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from graph.examples import query_for, ways
from graph.schema import REGISTRY, SCHEMA
from graph.service import datasets
from providers import PROVIDERS
from providers.declaration import Http, subject_of
from settings import variable

OURS = frozenset({"BUDGET_EXCEEDED", "DEADLINE_EXCEEDED", "INTERNAL_SERVER_ERROR"})
WAYS = ways(SCHEMA, REGISTRY)
DATASETS = tuple(dataset for dataset in datasets() if isinstance(dataset.source.how, Http))
IDS = tuple(provider.id for provider in PROVIDERS if any(dataset.provider_id == provider.id for dataset in DATASETS))
HALVES = (frozenset(IDS[::2]), frozenset(IDS[1::2]))


@dataclass(frozen=True, kw_only=True)
class Case:
    """One fault of the wire. `codes` are what it is told as; `unless` what some providers or datasets say instead."""

    name: str
    wish: Mapping[str, Any] = field(default_factory=dict)
    codes: frozenset[str] = frozenset()
    or_else: frozenset[str] = frozenset()
    subcode: str = ""
    before_login: bool = False
    unless: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def waits(self) -> bool:
        """The fault is a wait: it ends by a timeout of ours."""
        return "PROVIDER_TIMEOUT" in self.codes and not self.wish.get("statut")


def query_of(dataset: Any) -> str:
    """The query that reaches this dataset, and no other, by its example."""
    found = WAYS[dataset.id]
    subject = subject_of(dataset.example)
    entrance = "etablissement" if len(subject) == 14 else "entreprise"
    way = next((way for way in found if way[0].name == entrance), found[0])
    return query_for(REGISTRY, way, dataset)


@contextmanager
def pointed_elsewhere(monkeypatch: Any, providers: Iterable[str], base: str) -> Iterator[None]:
    """Every address of these providers leads to `base`."""
    with monkeypatch.context() as patch:
        for provider in PROVIDERS:
            if provider.id in providers:
                for setting in provider.settings:
                    if setting.sandbox_path is not None:
                        patch.setenv(variable(provider, setting), base + setting.sandbox_path)
        yield


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def full_port() -> Iterator[int]:
    """A port whose queue of connections is full: whoever connects waits."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        port = listening.getsockname()[1]
        with ExitStack() as stack:
            for _ in range(4):
                one = stack.enter_context(socket.socket())
                one.setblocking(False)
                one.connect_ex(("127.0.0.1", port))
            yield port


@asynccontextmanager
async def untrusted_tls(folder: Path, *, cut: bool = False) -> AsyncIterator[int]:
    """A TLS server that signed its own certificate; `cut`: one that closes before the end of the handshake."""
    connections: set[asyncio.StreamWriter] = set()

    async def accept(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if cut:
            writer.close()
        else:
            connections.add(writer)

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=None if cut else _self_signed(folder))
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in connections:
            writer.transport.abort()
        await server.wait_closed()


def _self_signed(folder: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(dates.datetime(2020, 1, 1, tzinfo=dates.UTC))
        .not_valid_after(dates.datetime(2060, 1, 1, tzinfo=dates.UTC))
        .sign(key, hashes.SHA256())
    )
    pem = folder / "cert.pem"
    pem.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context
