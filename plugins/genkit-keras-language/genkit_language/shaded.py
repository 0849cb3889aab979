"""A page with a text that is shaded by how much each part of it surprises."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from genkit_language.score import Score

MOST_SHOWN = 20_000
_FULL = 8.0  # nats: a chance of one in 3,000 is shaded as deep as any below it

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
body {{ font: 16px/1.6 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem;
  background: #fff; color: #111 }}
pre {{ font: 15px/1.7 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere }}
</style></head><body>
<h1>{title}</h1>
<p>{figures}</p>
<p>The deeper a part is shaded, the more it surprises; rest the pointer on it for the number.{cut}
</p>
<pre>{text}</pre>
</body></html>
"""


def shaded_page(found: Score, title: str, figures: Mapping[str, float]) -> str:
    """Return the page, HTML.

    Args:
        found: the text and its surprise.
        title: of the page.
        figures: what stands above the text, by name.
    """
    shown = zip(found.pieces[:MOST_SHOWN], found.nats[:MOST_SHOWN].tolist(), strict=True)
    spans = (
        f'<span title="{nats:.2f} nats" style="background:rgba(230,120,0,{_depth(nats):.2f})">'
        f"{escape(piece)}</span>"
        for piece, nats in shown
    )
    left = len(found.pieces) - MOST_SHOWN
    return _PAGE.format(
        title=escape(title),
        figures=escape(", ".join(f"{k.replace('_', ' ')} {v:.4f}" for k, v in figures.items())),
        cut=f" The first {MOST_SHOWN:,} parts; {left:,} are left out." if left > 0 else "",
        text="".join(spans),
    )


def _depth(nats: float) -> float:
    return min(1.0, max(0.0, nats / _FULL)) * 0.8
