"""The date that a document gives itself."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

_MONTHS = {
    "en": "january february march april may june july august september october november december",
    "en-short": "jan feb mar apr may jun jul aug sep oct nov dec",
    "fr": "janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "pt": "janeiro fevereiro marco abril maio junho julho agosto setembro outubro novembro dezembro",
    "sw": "januari februari machi aprili mei juni julai agosti septemba oktoba novemba desemba",
    "de": "januar februar marz april mai juni juli august september oktober november dezember",
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "nl": "januari februari maart april mei juni juli augustus september oktober november december",
    "id": "januari februari maret april mei juni juli agustus september oktober november desember",
    "tr": "ocak subat mart nisan mayis haziran temmuz agustos eylul ekim kasim aralik",
    "ru": "января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
    "ar": "يناير فبراير مارس ابريل مايو يونيو يوليو اغسطس سبتمبر اكتوبر نوفمبر ديسمبر",
}
_MONTHS_OF_THE_MAGHREB = "جانفي فيفري مارس افريل ماي جوان جويلية اوت سبتمبر اكتوبر نوفمبر ديسمبر"
_MONTH_OF = {
    name: number
    for names in (*_MONTHS.values(), _MONTHS_OF_THE_MAGHREB)
    for number, name in enumerate(names.split(), 1)
}
_NAME = "|".join(sorted((re.escape(name) for name in _MONTH_OF), key=len, reverse=True))
_DAY = r"(?P<day>3[01]|[12]\d|0?[1-9])"
_YEAR = r"(?P<year>(?:19[89]|20\d)\d)(?!\d)"
_OF = r"(?:\s+(?:de|del|do|of|ya|mwezi wa)\s+|[\s,./-]+)"
_FORMS = (
    re.compile(rf"(?<!\d){_YEAR}-(?P<month>1[0-2]|0[1-9])(?:-{_DAY}(?!\d))?"),
    re.compile(rf"(?<!\d)(?P<year>(?:19[89]|20\d)\d)年\s*(?P<month>1[0-2]|0?[1-9])月(?:\s*{_DAY}日)?"),
    re.compile(rf"(?<!\d){_DAY}(?:st|nd|rd|th|er|º|°|\.)?{_OF}(?P<name>{_NAME})\.?{_OF}{_YEAR}"),
    re.compile(rf"(?<!\w)(?P<name>{_NAME})\.?\s+{_DAY}(?:st|nd|rd|th)?,?\s+{_YEAR}"),
    re.compile(rf"(?<!\w)(?P<name>{_NAME})\.?{_OF}{_YEAR}"),
    re.compile(rf"(?<!\d){_DAY}\.(?P<month>1[0-2]|0?[1-9])\.{_YEAR}"),
    re.compile(rf"(?<!\d)(?P<first>\d{{1,2}})[/-](?P<second>\d{{1,2}})[/-]{_YEAR}"),
    re.compile(rf"(?<![\d/])(?P<month>1[0-2]|0?[1-9])/{_YEAR}"),
)
_YEAR_ALONE = re.compile(rf"(?<![\d.,-]){_YEAR}(?![.,]\d|-)")
# Words that say "this is the date of the text" ...
_MARK = re.compile(
    r"updat|revis|as of|as at|effective|issued|published|publication|version|edition|reviewed|dated|valid from|release"
    r"|mise? a jour|maj\b|publie|edicion|edicao|en date du|en vigueur|actualiz|atualiz|publicad|emitid|vigent|vigor"
    r"|revisao|imesasishwa|imehaririwa|imechapishwa|toleo|tarehe|تحديث|محدث|صادر|نشر|بتاريخ|اصدار|stand\b|aktualisiert"
    r"|aggiornat|обновлено|diperbarui|guncelle"
)
# ... and words that make it the date of something else.
_OTHER_DATE = re.compile(
    r"\b(?:until|before|by|deadline|closes?|expires?|due|from|since|between|no later|next|avant|jusqu|limite|echeance"
    r"|antes|hasta|ate|plazo|prazo|kabla|hadi|mwisho|depuis|desde)\b"
)
_SHORT_LINE = 70
_MARK_WITHIN = 40


@dataclass(frozen=True)
class _Found:
    date: str
    start: int
    end: int


def written_date(*texts: str) -> str | None:
    """The date that one of `texts` (its first page, its last) gives as that of the document.

    A date that follows words like "updated" counts first, then one that stands in a short line of its own; dates
    inside sentences are those of deadlines and laws.
    """
    today = datetime.now(UTC).date().isoformat()
    alone: list[str] = []
    for text in texts:
        for line in text.split("\n"):
            folded = _fold(line)
            for found in _dates(folded):
                if found.date > today[: len(found.date)]:
                    continue
                before = folded[max(0, found.start - _MARK_WITHIN) : found.start]
                if _MARK.search(before):
                    return found.date
                outside = folded[: found.start] + folded[found.end :]
                if len(outside) <= _SHORT_LINE and "|" not in outside and not _OTHER_DATE.search(folded):
                    alone.append(found.date)
    return max(alone, key=len) if alone else None


def year_in(title: str | None) -> str | None:
    """The one year in a title such as "Export guide 2026"."""
    years = {found["year"] for found in _YEAR_ALONE.finditer(title or "")}
    return years.pop() if len(years) == 1 and max(years) <= str(datetime.now(UTC).year) else None


def metadata_date(value: object) -> str | None:
    """The date in a property of a file: a `datetime`, ISO 8601, or PDF's `D:20260305...`."""
    if isinstance(value, datetime):
        return value.date().isoformat()
    digits = re.match(r"\s*(?:D:)?(\d{4})-?(\d\d)-?(\d\d)", str(value or ""))
    if not digits:
        return None
    try:
        date = datetime(int(digits[1]), int(digits[2]), int(digits[3]), tzinfo=UTC).date()
    except ValueError:
        return None
    return date.isoformat() if date.year >= 1990 and date <= datetime.now(UTC).date() else None


def _dates(line: str) -> Iterator[_Found]:
    taken: list[tuple[int, int]] = []
    for form in _FORMS:
        for match in form.finditer(line):
            start, end = match.span()
            if any(start < other_end and other_start < end for other_start, other_end in taken):
                continue
            taken.append((start, end))
            if date := _date(match):
                yield _Found(date, start, end)


def _date(match: re.Match[str]) -> str | None:
    parts = match.groupdict()
    year = int(parts["year"])
    if parts.get("first"):
        first, second = int(parts["first"]), int(parts["second"])
        if first > 12 or first == second:
            month, day = second, first
        elif second > 12:
            month, day = first, second
        else:
            return f"{year}"  # 05/03 is the fifth of March to most and the third of May to some
    else:
        month = _MONTH_OF[parts["name"]] if parts.get("name") else int(parts["month"])
        day = int(parts["day"]) if parts.get("day") else 0
    try:
        full = datetime(year, month, day or 1, tzinfo=UTC).date()
    except ValueError:
        return None
    return full.isoformat() if day else f"{year}-{month:02}"


def _fold(line: str) -> str:
    text = unicodedata.normalize("NFKD", line).casefold()
    # Also turns Arabic-Indic digits into those that the patterns know.
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text if not unicodedata.combining(c))
