"""The conversation: Telegram, terminal and machine contract. Uses `ingest` and `knowledge`."""
