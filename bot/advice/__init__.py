"""From a question to an answer. Knows nothing of Telegram."""
