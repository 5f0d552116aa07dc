"""AGEFIPH: no HTTP at all, a file handed over once a year and loaded into a table.

Withdrawn since 2021: the obligation is part of the URSSAF certificate today. The last deliveries are kept for who
still works on those years. Code 13, which no living provider uses, is ours to give.
"""

from providers.agefiph.emploi_travailleurs_handicapes import EMPLOI_TRAVAILLEURS_HANDICAPES
from providers.agefiph.table import METADATA
from providers.declaration import Provider

AGEFIPH = Provider(
    id="agefiph",
    label="AGEFIPH",
    title="Association de gestion du fonds pour l'insertion professionnelle des personnes handicapées",
    code="13",
    home_page="https://www.agefiph.fr",
    contact="https://www.agefiph.fr/contact",
    settings=(),
    session=None,
    certificate=None,
    maintenance=(),
    max_concurrency=8,
    rates=(),
    probe=None,
    datasets=(EMPLOI_TRAVAILLEURS_HANDICAPES,),
    tables=(METADATA,),
)
