"""The maintainer's command line, a module for each kind of work; `ingest/__main__.py` puts it together."""
