"""What an answer holds beside what was asked is shared like the rest: a head office is an establishment."""

from datetime import UTC, datetime, timedelta
from typing import Any

from providers.errors import NotFound
from providers.insee.siege import SIEGE
from resolvers.cache import Obtained
from resolvers.road import _held_beside
from sandbox.personas import CLAIR_VALLON
from tests.conftest import Answer, Api, Providers

SITE = "query($s: Siret!) { etablissement(siret: $s) { sirene { siret siegeSocial activitePrincipale { libelle } } } }"
HEAD_OFFICE = "query($s: Siren!) { entreprise(siren: $s) { siege { siret sirene { siegeSocial } } } }"
AT = datetime(2026, 3, 10, 9, 30, tzinfo=UTC)


async def head_office(api: Api) -> str:
    answer = await api.ask(HEAD_OFFICE, variables={"s": CLAIR_VALLON})
    assert answer.errors == []
    siret: str = answer.at("entreprise.siege.siret")
    return siret


async def site(api: Api, siret: str) -> Answer:
    answer = await api.ask(SITE, variables={"s": siret})
    assert answer.errors == []
    return answer


async def test_another_worker_need_not_ask_for_it(workers: tuple[Api, Api], providers: Providers) -> None:
    first, second = workers
    siret = await head_office(first)
    made = providers.calls("insee")
    answer = await site(second, siret)
    assert answer.at("etablissement.sirene.siegeSocial") is True
    assert answer.at("etablissement.sirene.activitePrincipale.libelle")
    (told,) = answer.provenance("insee.etablissement")
    assert told["cache"] is True
    assert providers.calls("insee") == made


async def test_it_lives_as_long_as_the_answer_that_held_it(workers: tuple[Api, Api], providers: Providers) -> None:
    first, second = workers
    siret = await head_office(first)
    made = providers.calls("insee")
    first.clock.advance(hours=1)
    await site(second, siret)
    assert providers.calls("insee") > made


async def test_one_without_its_labels_is_not_kept(workers: tuple[Api, Api], providers: Providers) -> None:
    """Labels that could not be had are asked again with the next request, on this worker and on the others."""
    first, _ = workers
    providers.misbehave("insee", chemin="metadonnees", panne="status", statut=503)
    siret = await head_office(first)
    providers.sandbox.conducts["insee"].reset()
    first.clock.advance(minutes=3)
    for api in workers:
        assert (await site(api, siret)).at("etablissement.sirene.activitePrincipale.libelle")


def test_nothing_is_held_beside_a_failure() -> None:
    landed: dict[Any, Obtained] = {"x": Obtained(None, NotFound(), AT, AT + timedelta(hours=1), 0.0)}
    assert _held_beside(SIEGE.source, landed) == {}
