"""Changes of a PostgreSQL database in phases that both versions of a service can live with."""
