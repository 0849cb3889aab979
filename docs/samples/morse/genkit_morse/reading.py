"""From signals to text; free of Keras, for the model, the renderer and the reviewer."""

import re


def read(signal, threshold=0.5):
    """Write a signal of shape `(32,)` as dots and dashes, with a space between letters."""
    bits = "".join("1" if strength > threshold else "0" for strength in signal).strip("0")
    letters = re.split("0{2,}", bits)
    return " ".join(
        "".join("-" if len(on) > 1 else "." for on in letter.split("0") if on) for letter in letters
    )
