"""Parse a file in a process of its own, so that no file can hang, fill or crash this one."""

from __future__ import annotations

import dataclasses
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from ingest.loading.contract import Kind, Limits, Loaded, LoadError, Reason
from ingest.loading.reading import Progress

_ROOT = Path(__file__).resolve().parents[2]
_COMMAND = (sys.executable, "-B", "-m", "ingest.loading.worker")
_BYTES_A_CHARACTER, _OTHER_BYTES = 4, 1_000_000
"""The most that the worker may write: the Markdown, and the rest."""
_BLOCK = 1 << 16
_SIGNALS: dict[int, Reason] = {
    signal.SIGXCPU: Reason.TOO_SLOW,
    signal.SIGKILL: Reason.TOO_MUCH_MEMORY,
    signal.SIGABRT: Reason.TOO_MUCH_MEMORY,
}
"""What an end by a signal means: the system's own kill, and libraries that give up, come from want of memory."""


def _no_progress(done: int, total: int) -> None:
    """For callers who do not want to know."""


def load(path: Path, name: str, *, limits: Limits = Limits(), progress: Progress = _no_progress) -> Loaded:
    """The file at `path`, which its sender calls `name`, as clean Markdown. Blocks; at most `limits.seconds`.

    Raises:
        LoadError: there is none, whatever the file did.
    """
    try:
        size = path.stat().st_size
    except OSError as error:
        raise LoadError(Reason.DAMAGED, str(error)) from error
    if size > limits.bytes:
        raise LoadError(Reason.TOO_LARGE, f"{size} bytes")
    if size == 0:
        raise LoadError(Reason.EMPTY)
    job = {"path": str(path.resolve()), "name": name, "limits": dataclasses.asdict(limits)}
    for answer in _answers(json.dumps(job).encode(), limits):
        if "progress" in answer:
            done, total = _numbers(answer["progress"])
            progress(done, total)
        elif "reason" in answer:
            raise LoadError(_reason(answer["reason"]), str(answer.get("detail", ""))[:500])
        else:
            return _loaded(answer.get("loaded"))
    raise LoadError(Reason.DAMAGED, "the worker said nothing")


def _answers(job: bytes, limits: Limits) -> Iterator[dict[str, Any]]:
    """What the worker writes, line by line; it is dead when this ends, however this ends.

    Raises:
        LoadError: it took too long, wrote too much or nonsense, or died.
    """
    deadline = time.monotonic() + limits.seconds
    most = limits.characters * _BYTES_A_CHARACTER + _OTHER_BYTES
    with subprocess.Popen(  # noqa: S603  (our own module; the file's name goes in over standard input)
        _COMMAND,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=_ROOT,
        env=_environment(),
        start_new_session=True,
    ) as process:
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            with suppress(BrokenPipeError), process.stdin:
                process.stdin.write(job)  # far less than a pipe holds
            pending, written = b"", 0
            for block in _blocks(process.stdout.fileno(), deadline):
                written += len(block)
                if written > most:
                    raise LoadError(Reason.UNPACKS_TOO_LARGE, "the worker wrote too much")
                *lines, pending = (pending + block).split(b"\n")
                for line in lines:
                    yield _object(line)
            process.wait(max(0.0, deadline - time.monotonic()))
        except (TimeoutError, subprocess.TimeoutExpired) as error:
            raise LoadError(Reason.TOO_SLOW) from error
        finally:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    if process.returncode:
        reason = _SIGNALS.get(-int(process.returncode), Reason.DAMAGED)
        raise LoadError(reason, f"the worker ended with {process.returncode}")


def _blocks(descriptor: int, deadline: float) -> Iterator[bytes]:
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        while True:
            if not selector.select(max(0.0, deadline - time.monotonic())):
                raise TimeoutError
            block = os.read(descriptor, _BLOCK)
            if not block:
                return
            yield block


def _environment() -> dict[str, str]:
    # Nothing of ours: a parser of strangers' files has no use for tokens. One thread, or each takes address space.
    return {
        "PATH": os.defpath,
        "LANG": "C.UTF-8",
        "PYTHONUTF8": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "RAYON_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "2",
    }


def _object(line: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise LoadError(Reason.DAMAGED, "the worker wrote nonsense") from error
    if not isinstance(answer, dict):
        raise LoadError(Reason.DAMAGED, "the worker wrote nonsense")
    return answer


def _numbers(value: object) -> tuple[int, int]:
    match value:
        case [int(done), int(total)]:
            return done, total
    raise LoadError(Reason.DAMAGED, "the worker wrote nonsense")


def _reason(value: object) -> Reason:
    try:
        return Reason(str(value))
    except ValueError:
        return Reason.DAMAGED


def _loaded(value: object) -> Loaded:
    """The worker has read a stranger's file: its answer is checked like one."""
    match value:
        case {
            "kind": str(kind),
            "title": str() | None as title,
            "as_of": str() | None as as_of,
            "language": str(language),
            "markdown": str(markdown),
            "pages": int(pages),
            "notes": [*notes],
            "flagged": [*flagged],
        } if kind in set(Kind) and all(isinstance(text, str) for text in (*notes, *flagged)):
            return Loaded(Kind(kind), title, as_of, language, markdown, pages, tuple(notes), tuple(flagged))
    raise LoadError(Reason.DAMAGED, "the worker wrote nonsense")
