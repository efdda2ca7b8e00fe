"""The process that parses one file: `python -m ingest.loading.worker`, a job on standard input, JSON lines out.

It limits itself before it looks at the file, imports only what the kind of file needs, and never connects anywhere.
Each line is `{"progress": [done, total]}`; the last is `{"loaded": {...}}` or `{"reason": ..., "detail": ...}`.
"""

from __future__ import annotations

import dataclasses
import json
import os
import resource
import sys
import warnings
from contextlib import suppress
from pathlib import Path

from ingest.loading.contract import Kind, Limits, Loaded, LoadError, Note, Reason
from ingest.loading.reading import Progress, Reading

_FORBIDDEN = (
    *("socket.connect", "socket.bind", "socket.getaddrinfo", "socket.sendto", "urllib.Request"),
    *("subprocess.Popen", "os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "pty.spawn"),
    *("os.remove", "os.rename", "os.rmdir", "os.symlink", "os.link", "os.kill", "shutil.rmtree"),
)
_NICE = 10
_ENDS = 3_000
"""Characters at the beginning and the end of a text in which its date is looked for."""
_TITLE_CHARACTERS = 200


def main() -> None:
    """Do the job on standard input."""
    job = json.load(sys.stdin)
    limits = Limits(**job["limits"])
    confine(limits)
    warnings.simplefilter("ignore")
    answer: dict[str, object]
    try:
        answer = {"loaded": dataclasses.asdict(parse(Path(job["path"]), job["name"], limits, _tell_progress))}
    except LoadError as error:
        answer = {"reason": error.reason, "detail": error.detail[:500]}
    except (MemoryError, RecursionError) as error:
        reason = Reason.TOO_MUCH_MEMORY if isinstance(error, MemoryError) else Reason.DAMAGED
        answer = {"reason": reason, "detail": type(error).__name__}
    except Exception as error:  # whatever a parser makes of a hostile file
        detail = f"{type(error).__name__}: {error}"[:500]
        answer = {"reason": Reason.TOO_MUCH_MEMORY if _is_memory(detail) else Reason.DAMAGED, "detail": detail}
    _write(answer)


def confine(limits: Limits) -> None:
    """Set hard limits on this process; they cannot be lifted again."""
    seconds = int(limits.seconds) + 2
    for kind, most in (
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 64),
    ):
        with suppress(ValueError, OSError):  # a system that does not know it, or is stricter already
            resource.setrlimit(kind, (most, most))
    with suppress(OSError):
        os.nice(_NICE)
    sys.addaudithook(_refuse)


def parse(path: Path, name: str, limits: Limits, progress: Progress) -> Loaded:
    """The file at `path` as clean Markdown.

    Raises:
        LoadError: there is none.
    """
    from ingest.loading.kinds import is_mislabelled, kind_of

    kind, text = kind_of(path, name, limits)
    reading = read(kind, path, text, limits, progress)

    from ingest.loading.dates import written_date, year_in
    from ingest.loading.encodings import clean
    from ingest.loading.flagging import flagged
    from ingest.loading.languages import language_of
    from ingest.loading.markdown import cut, finish, one_line

    title = one_line(clean(reading.title or ""))[:_TITLE_CHARACTERS].strip() or None
    markdown, title = finish(reading.markdown, title)
    if not any(char.isalnum() for char in markdown):
        pictures = Note.IMAGES_SKIPPED in reading.notes or kind in (Kind.PDF, Kind.HTML)
        raise LoadError(Reason.NO_TEXT if pictures else Reason.EMPTY)
    whole, markdown = markdown, cut(markdown, limits.characters)
    if len(markdown) < len(whole):
        reading.notes.append(Note.CUT_TEXT)
    if is_mislabelled(kind, name):
        reading.notes.append(Note.MISLABELLED)
    dated = reading.dated_texts or (whole[:_ENDS], whole[-_ENDS:])
    return Loaded(
        kind=kind,
        title=title and title[:_TITLE_CHARACTERS],
        as_of=written_date(*(clean(piece) for piece in dated)) or year_in(title) or reading.property_date,
        language=language_of(markdown),
        markdown=markdown,
        pages=reading.pages,
        notes=tuple(sorted({str(note) for note in reading.notes})),
        flagged=flagged(f"{title or ''}\n{markdown}"),
    )


def read(kind: Kind, path: Path, text: str, limits: Limits, progress: Progress) -> Reading:
    """What the reader of this kind of file finds in it."""
    if kind is Kind.PDF:
        from ingest.loading.pdf import read_pdf

        return read_pdf(path, limits, progress)
    if kind is Kind.DOCX:
        from ingest.loading.documents import read_docx

        return read_docx(path)
    if kind is Kind.PPTX:
        from ingest.loading.slides import read_pptx

        return read_pptx(path, limits, progress)
    if kind is Kind.XLSX:
        from ingest.loading.sheets import read_xlsx

        return read_xlsx(path, limits, progress)
    if kind is Kind.CSV:
        from ingest.loading.sheets import read_csv

        return read_csv(text, limits)
    if kind is Kind.HTML:
        from ingest.loading.webpages import read_html

        return read_html(text)
    from ingest.loading.texts import read_markdown, read_text

    return read_markdown(text) if kind is Kind.MARKDOWN else read_text(text)


def _refuse(event: str, _: tuple[object, ...]) -> None:
    if event in _FORBIDDEN:
        raise PermissionError(f"{event} while parsing")


def _is_memory(detail: str) -> bool:
    return any(sign in detail.lower() for sign in ("allocat", "failed to map", "out of memory", "memoryerror"))


def _tell_progress(done: int, total: int) -> None:
    _write({"progress": [done, total]})


def _write(answer: dict[str, object]) -> None:
    sys.stdout.buffer.write(json.dumps(answer, ensure_ascii=False).encode("utf-8", "replace") + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
