"""What the commands share: the two consoles, one-line errors, exit statuses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console

from ingest.catalogue import CatalogueError
from ingest.index import BusyError
from knowledge.database import DatabaseError
from knowledge.encoders import Encoder, EncoderError, load_encoder
from knowledge.facts import FactsError
from knowledge.generation import GenerationError
from knowledge.logs import configure_logs
from knowledge.settings import Settings, SettingsError

out = Console()
err = Console(stderr=True)

INVALID = 2
"""Exit status when something given is not acceptable: it is named and left out, the rest is done."""


@contextmanager
def clear_errors() -> Iterator[None]:
    """Turn the faults a maintainer can mend into one line and exit status 1."""
    try:
        yield
    except (
        SettingsError,
        EncoderError,
        GenerationError,
        BusyError,
        FactsError,
        CatalogueError,
        DatabaseError,
    ) as error:
        err.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(1) from None
    except OSError as error:
        err.print(f"{error.filename or 'file'}: {error.strerror or error}", style="red", markup=False, soft_wrap=True)
        raise typer.Exit(1) from None


def start() -> tuple[Settings, Encoder]:
    """The settings, with logs set up, and the encoder that they name."""
    settings = Settings.load()
    configure_logs(settings.log_level)
    return settings, load_encoder(settings.embedding_model)
