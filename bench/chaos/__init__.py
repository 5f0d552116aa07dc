"""Chaos: several workers of the real server under load, while everything that they rest on is taken away and given back.

`make chaos`, or `python -m bench.chaos --seconds 90`. See `bench.chaos.story` for what happens when, and
`bench.chaos.verdict` for what must hold. Nothing that others use is touched: PostgreSQL, Redis and the simulated providers
are the run's own, on free ports, in a folder of its own.
"""
