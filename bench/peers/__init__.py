"""The same federation work given to other GraphQL servers and to ours: `python -m bench.peers`. See README.md."""
