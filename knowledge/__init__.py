"""The knowledge base and how it is read. Uses neither `ingest` nor `bot`."""
