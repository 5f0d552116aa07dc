"""Measured speed. `make bench` runs everything; figures are kept in `bench/` with the command that reproduces them."""
