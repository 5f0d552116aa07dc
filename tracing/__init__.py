"""The access journal: durable, per field, kept 36 months, tamper-evident."""
