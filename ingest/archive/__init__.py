"""The whole knowledge base as one portable file, and back.

A zip with the Markdown documents, the fact tables, the catalogue of agencies and their documents with every version,
and the files these came from. No roles, no Telegram ids, nothing of sellers. What comes in is trusted in nothing: it is
checked whole before anything changes.
"""

from ingest.archive.checking import unpack
from ingest.archive.contents import ArchiveError, ArchiveManifest
from ingest.archive.exporting import Exported, export_archive
from ingest.archive.importing import FolderChange, Imported, import_archive
from ingest.archive.rows import CatalogueChanges, Library, merge_library, read_library

__all__ = [
    "ArchiveError",
    "ArchiveManifest",
    "CatalogueChanges",
    "Exported",
    "FolderChange",
    "Imported",
    "Library",
    "export_archive",
    "import_archive",
    "merge_library",
    "read_library",
    "unpack",
]
