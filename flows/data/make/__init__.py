"""How the tables in flows/data are derived from published sources: run by `make data`, never by the programs."""
