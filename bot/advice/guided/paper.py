"""A case or a plan on one page, to show at a bank or an agency: as text or as PDF."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from pathlib import Path

MARGIN_MM = 16
SIZES = (11.0, 10.0, 9.0, 8.0, 7.0, 6.0)
"""Points to try until all stands on one page."""

FONTS = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf")
"""They come with matplotlib and hold Latin, Arabic, Cyrillic and Greek."""


@dataclass(frozen=True)
class Paper:
    """What stands on the page: headings with their lines, and what is said small at the foot."""

    title: str
    sections: tuple[tuple[str, tuple[str, ...]], ...]
    foot: str
    right_to_left: bool = field(default=False)


def as_text(paper: Paper) -> str:
    """The page as plain text."""
    blocks = [paper.title]
    blocks += [f"{heading}\n" + "\n".join(f"- {line}" for line in lines) for heading, lines in paper.sections if lines]
    return "\n\n".join([*blocks, paper.foot]) + "\n"


def as_pdf(paper: Paper) -> bytes:
    """The page as a PDF of one A4 page. Takes some tenths of a second: call it off the event loop.

    HarfBuzz joins and orders the letters as their script asks.
    """
    for size in SIZES[:-1]:
        pages, data = _drawn(paper, size)
        if pages == 1:
            return data
    return _drawn(paper, SIZES[-1])[1]


def _drawn(paper: Paper, size: float) -> tuple[int, bytes]:
    from fpdf import FPDF
    from matplotlib import get_data_path

    fonts = Path(get_data_path()) / "fonts" / "ttf"
    pdf = FPDF(format="A4")
    pdf.set_margin(MARGIN_MM)
    pdf.set_auto_page_break(auto=True, margin=MARGIN_MM)
    for style, name in zip(("", "B"), FONTS, strict=True):
        pdf.add_font("text", style, str(fonts / name))
    pdf.set_text_shaping(use_shaping_engine=True, direction="rtl" if paper.right_to_left else "ltr")
    pdf.set_title(paper.title)
    pdf.add_page()
    align = "R" if paper.right_to_left else "L"

    def write(text: str, style: str = "", points: float = size, space: float = 0) -> None:
        pdf.set_font("text", style, points)
        pdf.multi_cell(0, points * 0.5, text, align=align, new_x="LMARGIN", new_y="NEXT")
        pdf.ln(space)

    write(paper.title, "B", size + 4, 2)
    for heading, lines in paper.sections:
        if lines:
            write(heading, "B", size + 1)
            for line in lines:
                write(f"• {line}")
            pdf.ln(size * 0.25)
    write(paper.foot, "", max(size - 2, SIZES[-1]))
    out = io.BytesIO()
    pdf.output(out)
    return len(pdf.pages), out.getvalue()
