"""How the knowledge base is written. Uses `knowledge`, never `bot`."""
