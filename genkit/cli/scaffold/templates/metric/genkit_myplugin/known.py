"""Items whose figures are known: a metric that is wrong on them is wrong."""

from collections.abc import Iterator

import genkit
import numpy as np
from genkit.testing import KnownAnswer

_SCHEMA = genkit.Schema({"image": genkit.Field((4, 4, 1), "uint8", "image", range=(0, 200))})


def known_answers() -> Iterator[KnownAnswer]:
    """Return black, gray and white images with the gaps between them."""
    black, gray, white = (np.full((6, 4, 4, 1), value, "uint8") for value in (0, 100, 200))
    for generated, real, gap in ((white, black, 1.0), (black, gray, 0.5), (gray, gray, 0.0)):
        items = {"generated": generated, "real": real}
        yield KnownAnswer(_SCHEMA, items, {"brightness-gap": gap})
