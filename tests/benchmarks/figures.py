"""How long figures take: a question, a comparison, a picture; beside the encoder's time for the same question.

    python -m tests.benchmarks.figures

Prints medians over several rounds; the bars are 30 ms, 50 ms for 40 platforms, and 600 ms for the picture.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from statistics import median

from bot.advice.figures import picture
from bot.advice.figures.chart import draw
from bot.advice.figures.draft import Draft, Wish
from bot.advice.understand import Profile
from bot.app import build_adviser
from bot.settings import BotSettings
from knowledge.facts import Facts
from knowledge.fees import Sale, calculate
from knowledge.logs import configure_logs

ROUNDS = 30
QUESTIONS = (
    "I sell a 40 dollar scarf on Etsy from Peru, what do I keep?",
    "combien prend amazon sur une robe de 50 euros vendue en allemagne? je suis en Tunisie",
    "ninauza kikapu cha dola 30 kwenye ebay kutoka Tanzania, nabaki na kiasi gani",
    "can I sell on Etsy from Senegal?",
    "does PayPal work in Kenya?",
    "what are Etsy's fees?",
)


def milliseconds(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """The median time of `work`, the first run not counted."""
    work()
    taken = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return median(taken) * 1000


def forty_stores(facts: Facts) -> Callable[[], object]:
    """Work out one sale in the first forty stores of the tables."""
    stores = [(platform, store) for platform in facts.platforms for store in platform.stores if store.fees][:40]
    sale = Sale(Decimal(40), "USD", seller="KE", category="clothing")
    today = datetime.now(UTC).date()
    return lambda: [calculate(platform, store, sale, facts.fx, today) for platform, store in stores]


def main() -> None:
    """Print the table."""
    configure_logs("ERROR")
    adviser = build_adviser(BotSettings.load())
    adviser.desk.reader.warm()
    for question in QUESTIONS:
        own = milliseconds(lambda question=question: adviser.advise(question, Profile("en")))
        alone = milliseconds(lambda question=question: adviser.index.encoder.encode([question], "query"), 5)
        print(f"{own:7.1f} ms  (encoder alone {alone:5.1f} ms, not run)  {question}")
    print(f"{milliseconds(forty_stores(adviser.facts)):7.1f} ms  the calculator over 40 stores")
    draft = Draft(Wish.COMPARE, price=Decimal(40), currency="USD", seller="KE", category="clothing")
    print(f"{milliseconds(lambda: adviser.desk.answer(draft, 'en')):7.1f} ms  a comparison as a reply")
    shown = picture.comparison(adviser.desk, draft.code, "ar")
    assert shown is not None
    drawn = milliseconds(lambda: draw(shown.title, shown.note, shown.bars, right_to_left=shown.right_to_left), 5)
    print(f"{drawn:7.1f} ms  the picture of {len(shown.bars)} bars")
    adviser.close()


if __name__ == "__main__":
    main()
