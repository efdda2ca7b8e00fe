"""The comparison as a picture that can be read on a phone: one bar a platform, what is kept and what is taken."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, ROW, MARGINS, BOTTOM = 6.0, 0.6, 1.25, 0.5
"""Inches."""
DPI = 120
KEPT, TAKEN, UNSURE, INK = "#0b6e4f", "#d9d4c7", "#c26a2d", "#1c1c1c"


@dataclass(frozen=True)
class Bar:
    """One platform: shares of what the buyer paid, and the sum to write beside the bar."""

    label: str
    kept: float
    kept_at_most: float
    shown: str


def draw(title: str, note: str, bars: Sequence[Bar], *, right_to_left: bool = False) -> bytes:
    """A PNG of `bars`, the first on top. Takes some tenths of a second: call it off the event loop.

    Text is laid out by HarfBuzz, joined and turned as its script asks. No global state of matplotlib is touched,
    so several threads may draw at once.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    height = MARGINS + ROW * len(bars)
    figure = Figure(figsize=(WIDTH, height), dpi=DPI, facecolor="white")
    axes = figure.add_axes((0.04, BOTTOM / height, 0.92, 1 - MARGINS / height))
    start, end = ("right", "left") if right_to_left else ("left", "right")
    for at, bar in enumerate(bars):
        for share, colour in ((1.0, TAKEN), (bar.kept_at_most, UNSURE), (bar.kept, KEPT)):
            axes.barh(at, share, height=0.34, color=colour)
        axes.text(0, at - 0.24, bar.label, ha=start, va="bottom", fontsize=12, color=INK)
        axes.text(1, at - 0.24, bar.shown, ha=end, va="bottom", fontsize=12, color=INK, weight="bold")
    axes.set_ylim(len(bars) - 0.6, -0.65)
    axes.set_xlim((1, 0) if right_to_left else (0, 1))
    axes.axis("off")
    edge = 0.96 if right_to_left else 0.04
    figure.text(edge, 1 - 0.15 / height, title, ha=start, va="top", fontsize=14, weight="bold", color=INK)
    figure.text(edge, 0.15 / height, note, ha=start, va="bottom", fontsize=9, color=INK)
    out = io.BytesIO()
    FigureCanvasAgg(figure).print_png(out)  # type: ignore[no-untyped-call]
    return out.getvalue()
