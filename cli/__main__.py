"""`python -m cli`: the same as `graphe`."""

from cli import main

main()
