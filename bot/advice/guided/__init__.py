"""Step-by-step help: disputes with their deadlines, choosing a platform, other ways to sell."""
