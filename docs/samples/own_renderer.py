"""A renderer of melodies: notes by their names, a line an item."""

import html
import io

import numpy as np

import genkit

NOTES = ("C", "D", "E", "F", "G", "A", "B")


class Melodies(genkit.Renderer):
    """Shows notes, numbers from 0 to 6, by their names."""

    formats = ("abc",)
    streamed = ("abc",)

    def line(self, item):
        return " ".join(NOTES[int(note)] for note in item)

    def write_all(self, batches, out, format_):
        for items in batches:
            for item in items:
                out.write(f"{self.line(item)}\n".encode())

    def read(self, file):
        lines = file.read_text().splitlines()
        return [np.array([NOTES.index(name) for name in line.split()]) for line in lines]

    def html(self, items, alt, columns=None):
        lines = "\n".join(self.line(item) for item in items)
        return f'<pre title="{html.escape(alt)}">{html.escape(lines)}</pre>'


@genkit.hookimpl
def genkit_renderers():
    """Name the renderer, by where it stands."""
    yield genkit.RendererSpec(
        name="melodies",
        summary="Notes by their names, a line a melody",
        renderer="genkit_tunes.renderer:Melodies",
        modality="melody",
    )


field = genkit.Field((None,), "int32", "melody", range=(0, 6))
renderer = Melodies(genkit.Schema({"notes": field}), "notes")
out = io.BytesIO()
renderer.write_all([[np.array([0, 2, 4])], [np.array([4, 2])]], out, "abc")
print(out.getvalue().decode(), end="")
