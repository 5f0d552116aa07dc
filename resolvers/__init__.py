"""The one road from a field to a provider: authorise, load, cache, limit, send, parse, trace."""
