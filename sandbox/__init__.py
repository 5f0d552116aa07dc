"""The providers, simulated at the wire over real HTTP on loopback. Invented people and companies only."""
