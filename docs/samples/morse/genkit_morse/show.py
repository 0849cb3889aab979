"""How signals are shown: in files of their own, and in reports."""

import html

import genkit
from genkit_morse.reading import read


class MorseRenderer(genkit.Renderer):
    """Shows a signal as a line of text."""

    suffix = "txt"

    def write(self, item, file):
        file.write_text(read(item) + "\n", encoding="utf-8")

    def html(self, items, alt, columns=None):
        lines = "\n".join(read(item) for item in items)
        return f'<pre title="{html.escape(alt)}">{html.escape(lines)}</pre>'
