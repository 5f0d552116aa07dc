"""Executes a prepared document for one request."""

from collections.abc import Awaitable, Mapping
from typing import Any

from graphql import ExecutionResult, GraphQLSchema, OperationDefinitionNode

from graph.documents import Prepared
from graph.plan import execute_planned
from resolvers.operation import Operation


def run(
    schema: GraphQLSchema,
    prepared: Prepared,
    chosen: OperationDefinitionNode,
    operation: Operation,
    variables: Mapping[str, Any],
) -> ExecutionResult | Awaitable[ExecutionResult]:
    """The result, at once when memory holds every answer, else an awaitable of it."""
    assert prepared.document is not None  # noqa: S101 - only valid documents are executed
    return execute_planned(
        schema,
        prepared.document,
        chosen,
        plans=prepared.compiled,
        conditions=prepared.conditions,
        context=operation,
        variables=variables,
    )
