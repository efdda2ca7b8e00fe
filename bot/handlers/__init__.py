"""One module for each thing a person can do; each reads the update, calls advice or people, sends a reply."""
