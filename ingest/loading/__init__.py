"""From a file or a web address that nobody has vouched for to clean Markdown.

`load` parses in a process of its own with hard limits, `fetch` connects only to addresses it has checked; whatever
goes wrong is a `LoadError` with a reason.
"""

from ingest.loading.contract import MESSAGES, Kind, Limits, Loaded, LoadError, Reason
from ingest.loading.fetching import Fetched, fetch
from ingest.loading.process import load

__all__ = ["MESSAGES", "Fetched", "Kind", "Limits", "LoadError", "Loaded", "Reason", "fetch", "load"]
