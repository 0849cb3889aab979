"""A little text, and a little model of it."""

from genkit_language.configs import TextConfig
from genkit_language.data import open_text

LINES = (
    "the quick brown fox jumps over the lazy dog",
    "a stitch in time saves nine",
    "well begun is half done",
)


def write_text(folder, repeats=40):
    """Write one document."""
    path = folder / "sayings.txt"
    path.write_text("".join(f"{line}.\n" for line in LINES * repeats), encoding="utf-8")
    return path


def write_folder(folder, documents=30):
    """Write many documents."""
    for number in range(documents):
        text = f"{number}. {LINES[number % 3]} {LINES[(number + 1) % 3]}\n" * 4
        (folder / f"{number:03d}.txt").write_text(text, encoding="utf-8")
    return folder


def opened(path, **settings):
    return open_text(TextConfig(path=path, **settings))
