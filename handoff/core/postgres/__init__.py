"""Django's PostgreSQL engine, which also says whose rows a transaction may see."""
