"""The history of the schema, one line for all databases."""
