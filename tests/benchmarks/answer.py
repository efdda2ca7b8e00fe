"""How long a warm answer takes through the Application, beside the encoder's own time for the same question.

    python -m tests.benchmarks.answer [--questions 60]

Prints medians, the ratio of both measured side by side, the share of each step, and the memory of the process.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from statistics import median

from bot.advice.language import detect
from bot.app import build_adviser, build_application
from bot.settings import BotSettings
from ingest.evaluate import load_questions
from knowledge.logs import configure_logs
from tests.integration.offline import OfflineRequest, Person


def resident_megabytes() -> float:
    """The resident memory of this process, from /proc."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024


async def measure(questions: int) -> None:
    """Ask the questions in turn: the whole way, then the encoder alone."""
    configure_logs("ERROR")
    started = time.perf_counter()
    settings = BotSettings.load(data_dir=BotSettings.load().data_dir, database_url="")
    adviser = build_adviser(settings)
    request = OfflineRequest()
    steps: defaultdict[str, list[float]] = defaultdict(list)
    advise = adviser.advise

    def timed(*arguments: object) -> object:
        consultation = advise(*arguments)  # type: ignore[arg-type]
        for name, seconds in consultation.steps.items():
            steps[name].append(seconds)
        return consultation

    adviser.advise = timed  # type: ignore[method-assign,assignment]
    with tempfile.TemporaryDirectory() as folder:
        own = settings.model_copy(update={"database_url": f"sqlite:///{folder}/bench.sqlite"})
        app = build_application(own, adviser, request=request, token="1:BENCH")
        await app.initialize()
        assert app.post_init
        await app.post_init(app)
        print(f"ready in {time.perf_counter() - started:.2f} s (imports not counted)")
        every = [q.turns[-1] for q in load_questions() if q.expect == "answer"]
        texts = every[:: max(1, len(every) // (questions + 5))][: questions + 5]  # of all languages
        whole, alone = [], []
        encoder = adviser.index.encoder
        for number, text in enumerate(texts):
            sent_at: list[float] = []
            request.fault = lambda name, _, at=sent_at: (
                at.append(time.perf_counter()) if name == "sendMessage" else None
            )
            person = Person(app, request, user=1000 + number)
            before = time.perf_counter()
            await person.say(text)
            if number >= 5:  # the first few warm up
                whole.append(sent_at[0] - before)
            before = time.perf_counter()
            encoder.encode([text], "query")
            if number >= 5:
                alone.append(time.perf_counter() - before)
        print(f"update to send call: p50 {median(whole) * 1000:.1f} ms over {len(whole)} questions")
        print(f"the encoder alone:   p50 {median(alone) * 1000:.1f} ms")
        ratios = [a / b for a, b in zip(whole, alone, strict=True)]
        print(f"ratio: {median(whole) / median(alone):.2f} of the medians, {median(ratios):.2f} the median by question")
        total = sum(map(sum, steps.values()))
        shares = ", ".join(f"{name} {sum(seconds) / total:.0%}" for name, seconds in steps.items())
        print(f"share of each step of advice: {shares}")
        print(f"resident memory: {resident_megabytes():.0f} MB")
        before = time.perf_counter()
        for text in every:
            detect(text)
        print(f"language of a message: {(time.perf_counter() - before) / len(every) * 1000:.2f} ms over {len(every)}")
        await app.shutdown()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=60)
    asyncio.run(measure(parser.parse_args().questions))
