"""What a client sees: the types, the schema, the HTTP application."""
