"""The maintainer's command line: `python -m ingest --help` lists its commands."""

from __future__ import annotations

import sys

import typer

from ingest.command_line import archiving, building, comparing, examining, gaps, inspecting, library, measuring

app = typer.Typer(
    help="Write and inspect the knowledge base.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)
for part in (library, building, comparing, inspecting, examining, measuring, archiving, gaps):
    part.register(app)

if __name__ == "__main__":
    app(prog_name="python -m ingest")
    sys.exit(0)
