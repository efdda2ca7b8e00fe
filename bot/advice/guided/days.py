"""Days as people write them, and when it is what time where a seller lives."""

from __future__ import annotations

import calendar
import re
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any, Literal
from zoneinfo import ZoneInfo

import dateparser
import pytz
from babel.dates import format_date, format_timedelta, get_timezone_location

from knowledge.lexicon import lexicons
from knowledge.normalise import QUESTION_MARKS, fold, visible, western_digits

LONGEST, MOST_WORDS = 60, 5
OLDEST = timedelta(days=730)
"""A day further back is a slip of the pen: no deadline runs so long."""

DIALECTS = {"ar": ("ar", "en", "fr"), "sw": ("sw", "en"), "fr": ("fr", "en"), "pt": ("pt", "es", "en")}
FINEST = 10_000
"""So many of a unit may be written out before the next larger one is taken."""

MORNING = time(9, 0)
"""When reminders come, by the seller's own clock."""

MAIN_ZONES = frozenset(
    ["America/Sao_Paulo", "America/Manaus", "America/Rio_Branco", "America/Mexico_City", "America/Cancun",
     "America/Hermosillo", "America/Tijuana", "America/Santiago"]
)  # fmt: skip
"""Of zones with the same clock the one by whose city people know it."""

_CHINESE_DAY = re.compile(
    r"(?:(?P<year>\d{4})年)?(?P<month>\d{1,2})月(?P<day>\d{1,2})[日号]?"
    r"|(?P<ago>\d+ ?(?:天|小时|个?星期|周|个?月)[前后])|(?:星期|周|礼拜)(?P<weekday>[一二三四五六日天])"
)
_WEEKDAYS = dict(zip("一二三四五六日天", (*calendar.day_name, "Sunday"), strict=True))
_DAY_AND_MONTH = re.compile(r"(\d{1,2})[.-](\d{1,2})\.?")


def read_day(text: str, language: str, today: date, *, coming: bool = False) -> date | None:
    """The day that a short text names: "yesterday", "3 days ago", "12 Nov", "12/11/2026", "الأحد"; day before month.

    A day without a year is the last one before `today`, or with `coming` the next one. None when the text names no
    day, or is longer than such an answer would be.
    """
    shown = western_digits(visible(text)).strip(" .,!。।")
    folded = fold(shown)
    if not folded or len(folded) > LONGEST or folded.endswith(QUESTION_MARKS):
        return None
    if not coming and folded in _own_words():
        return today - timedelta(days=_own_words()[folded])
    if chinese := _CHINESE_DAY.search(shown):
        return _parse(_plain(chinese), "zh" if chinese["ago"] else "en", today, coming)
    words = shown.split()
    # "the parcel came on 12 November": what is left when words are taken off the front.
    for start in range(len(words)):
        if len(words) - start <= MOST_WORDS:
            found = _parse(" ".join(words[start:]), language, today, coming)
            if found is not None:
                return found
    return None


@cache
def _own_words() -> dict[str, int]:
    """Days ago, for words that the library does not know, or takes for coming days."""
    return {fold(word): days for lexicon in lexicons().values() for word, days in lexicon.days_ago.items()}


def _plain(chinese: re.Match[str]) -> str:
    """A day in Chinese as the library reads it."""
    if chinese["weekday"]:
        return str(_WEEKDAYS[chinese["weekday"]])
    if chinese["month"]:
        return "/".join(str(part) for part in chinese.group("day", "month", "year") if part)
    return str(chinese["ago"])


def _parse(text: str, language: str, today: date, coming: bool) -> date | None:
    if text.isdecimal() and int(text) > 31:
        return None
    if short := _DAY_AND_MONTH.fullmatch(text):
        text = f"{short[1]}/{short[2]}"
    parsed = _parsed(text, language, today, coming, REQUIRE_PARTS=["day"])
    if parsed is None:
        weekday = _parsed(text, language, today, coming)
        is_near = weekday is not None and 0 < abs((weekday.date() - today).days) <= 7
        return weekday.date() if weekday is not None and is_near else None
    day = parsed.date()
    if str(day.year) not in text:  # a year of two figures
        if day.year < 2000:
            day = day.replace(year=day.year + 100)
        elif day.year > today.year + 50:
            day = day.replace(year=day.year - 100)
    return day


def _parsed(text: str, language: str, today: date, coming: bool, **settings: Any) -> datetime | None:
    return dateparser.parse(
        text,
        languages=list(DIALECTS.get(language, (language, "en"))) if language != "en" else ["en"],
        settings={
            "DATE_ORDER": "DMY",
            "PREFER_DATES_FROM": "future" if coming else "past",
            "RELATIVE_BASE": datetime.combine(today, time(12)),
            "RETURN_AS_TIMEZONE_AWARE": False,
            **settings,
        },
    )


def is_possible(day: date, today: date) -> bool:
    """True for a day on which something can have happened that still matters."""
    return today - OLDEST <= day <= today


def long_day(day: date, language: str) -> str:
    """A day in words, with its weekday: "Thursday, 26 November 2026"."""
    return str(format_date(day, "full", locale=language))


def short_day(day: date, language: str) -> str:
    """A day for a button: "26 Nov 2026"."""
    return str(format_date(day, "medium", locale=language))


def span(language: str, *, days: int = 0, hours: int = 0, from_now: bool = False) -> str:
    """A number of days, or else of hours: "3 days"; with `from_now` "in 3 days"."""
    unit: Literal["day", "hour"] = "day" if days else "hour"
    time = timedelta(days=days, hours=hours)
    return str(format_timedelta(time, unit, threshold=FINEST, add_direction=from_now, locale=language))


def zones(country: str | None) -> tuple[str, ...]:
    """Names of the time zones of a country (ISO 3166 alpha-2), one for each clock that is kept there over the year."""
    seasons, by_clock = (datetime(2026, 1, 15, tzinfo=UTC), datetime(2026, 7, 15, tzinfo=UTC)), dict[object, str]()
    names = pytz.country_timezones.get(country or "", ())
    for name in sorted(names, key=lambda name: name not in MAIN_ZONES):
        clock = tuple(season.astimezone(ZoneInfo(name)).utcoffset() for season in seasons)
        by_clock.setdefault(clock, name)
    return tuple(by_clock.values())


def zone_label(name: str, language: str) -> str:
    """A time zone by its city, with the time there now."""
    clock = datetime.now(UTC).astimezone(ZoneInfo(name)).strftime("%H:%M")
    return f"{get_timezone_location(name, locale=language, return_city=True)} {clock}"


def morning_of(day: date, zone: str) -> datetime:
    """The moment (UTC) when reminders of `day` come in `zone`."""
    return datetime.combine(day, MORNING, ZoneInfo(zone)).astimezone(UTC)


def today_in(zone: str, now: datetime) -> date:
    """The day it is in `zone` at `now`."""
    return now.astimezone(ZoneInfo(zone)).date()
