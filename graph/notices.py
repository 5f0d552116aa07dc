"""What every answer tells its caller of the token that asked: its coming end, and the quotas that it drew on."""

from typing import Any

from auth.instants import utc_text
from auth.lifecycle import expiring_soon
from resolvers.operation import Operation


def notices(operation: Operation) -> dict[str, Any]:
    """The parts of `extensions` that speak of the caller; nothing when there is nothing to say."""
    found: dict[str, Any] = {}
    caller, now = operation.caller, operation.now()
    if expiring_soon(caller.expire_le, now):
        days = (caller.expire_le - now).days
        found["expiration"] = {
            "expireLe": utc_text(caller.expire_le),
            "joursRestants": days,
            "message": "Votre jeton expire bientôt : le demandeur de l'habilitation peut le prolonger dès maintenant.",
        }
    if operation.meter.balances:
        found["quotas"] = [
            {
                "groupe": balance.name,
                "limite": balance.limit,
                "restant": balance.remaining,
                "reinitialisation": utc_text(balance.reset),
            }
            for balance in operation.meter.balances.values()
        ]
    return found
