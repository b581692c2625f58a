"""All SQL: the only room that knows PostgreSQL."""
