"""The application of a started server, with the clock of the tests: no maintenance window depends on the hour."""

import os
from datetime import UTC, datetime
from pathlib import Path

from graph.app import Front, create_app
from portal import graphiql
from settings import Settings
from tests.conftest import patient

NOW = datetime(2026, 3, 10, 9, 30, tzinfo=UTC)
STATIC = "TRIAL_STATIC"
"""The variable that names another folder of static files: one without GraphiQL's built assets shows the plain page."""


def create() -> Front:
    graphiql.STATIC = Path(os.environ.get(STATIC, graphiql.STATIC))
    return Front(create_app(Settings(), clock=lambda: NOW, timing=patient))
