"""The page of what was measured beside published figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

_HEAD = """# Several modalities, measured

<!-- Written by `nox -s multimodal-bench`: run it again, don't change this page. -->

MNIST with its label as a second modality, by the presets `reference`: dense networks, 64 latents,
Adam 1e-3, the divergence warming up over two fifths of the epochs. Test items that training never
saw. JAX on a thread of a shared machine; seconds are the processor's, with reading and compiling in
them.

<!-- not run: it takes a night -->
```bash
nox -s multimodal-bench -- --train jmvae mvae
```

How the figures are computed: [Several modalities](models/multimodal.md#published-rows).
"""
_PUBLISHED = {
    "jmvae": ("JMVAE: image log-likelihood", "-86.86 (paper), -86.85 (MultiVae); higher is better"),
    "mvae": (
        "MVAE: the sum of three negative bounds",
        "188.8 (paper), 188.3 (MultiVae); lower is better",
    ),
}
_PAPERS_EPOCHS = 500


def page(rows: Sequence[dict[str, Any]]) -> str:
    """Return the page of what is kept."""
    return "\n".join([_HEAD, *(line for name in _PUBLISHED for line in _section(name, rows))])


def _section(name: str, rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    title, published = _PUBLISHED[name]
    mine = sorted((r for r in rows if r["model"] == name), key=lambda r: (r["of"], r["steps"]))
    yield f"## {title}\n\nPublished: {published}, after {_PAPERS_EPOCHS} epochs.\n"
    if not mine:
        yield "Not run yet.\n"
        return
    drawn = any(row["samples"] for row in mine)
    counted = "test items, latents" if drawn else "test items"
    yield f"| epochs | of | steps | CPU seconds of the stretch | {counted} | figure |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for row in mine:
        length = f"{row['epochs']} | {row['of']} | {row['steps']:,} | {row['cpu_seconds']:,}"
        items = f"{row['items']:,}" + (f", {row['samples']}" if row["samples"] else "")
        yield f"| {length} | {items} | {row['figure']:.2f} ± {1.96 * row['error']:.2f} |"
    if not any(row["epochs"] >= _PAPERS_EPOCHS for row in mine):
        yield "\nNone has the papers' epochs: these show the way there, and are no comparison."
    yield ""
