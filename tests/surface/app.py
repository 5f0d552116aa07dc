"""The application of a started server, with the clock of the tests: no maintenance window depends on the hour."""

import os
from datetime import UTC, datetime
from pathlib import Path

from fastapi import FastAPI

from graph.app import create_app
from portal import graphiql
from settings import Settings

NOW = datetime(2026, 3, 10, 9, 30, tzinfo=UTC)
STATIC = "TRIAL_STATIC"
"""The variable that names another folder of static files: one without GraphiQL's built assets shows the plain page."""


def create() -> FastAPI:
    graphiql.STATIC = Path(os.environ.get(STATIC, graphiql.STATIC))
    return create_app(Settings(), clock=lambda: NOW)
