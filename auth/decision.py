"""May this caller read what these scopes open? The one function that says so; everything else asks it.

Source: the scopes of the "API Entreprise" bouquet: any one of a dataset's scopes opens it.
"""

from typing import Final

from auth.caller import Usage
from auth.scopes import ANY_TOKEN, OPEN_DATA

_PUBLIC: Final = frozenset({OPEN_DATA, ANY_TOKEN})


def may(required: frozenset[str], held: frozenset[str], usage: Usage) -> bool:
    """Whether a caller that holds `held` may read what any of `required` opens.

    Pre-filling happens before anybody is authenticated: nothing but public data, whatever the scopes say.
    """
    if usage is Usage.PRE_REMPLISSAGE and required.isdisjoint(_PUBLIC):
        return False
    return ANY_TOKEN in required or not required.isdisjoint(held)
