"""The warehouse, from the tables of a real PostgreSQL to the marts in DuckDB."""
