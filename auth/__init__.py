"""Tokens, habilitations, scopes: who asks, and the one decision of what it may read."""
