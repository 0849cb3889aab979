"""Hostile files: real ones with bytes changed, cut or doubled, and JSON with values replaced."""

import json

from hypothesis import strategies as st

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=30)
    | st.sampled_from(["../../etc/passwd", "/etc/passwd", "os:system", "a" * 5000, "\0", "\ud800"])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@st.composite
def mutated(draw, original):
    """Return a file with a few of its bytes changed, some left out, or some doubled."""
    content = bytearray(original)
    for _ in range(draw(st.integers(1, 4))):
        if not content:
            break
        start = draw(st.integers(0, len(content) - 1))
        length = draw(st.integers(1, 64))
        how = draw(st.sampled_from(["change", "cut", "double", "end", "insert"]))
        if how == "change":
            content[start] = draw(st.integers(0, 255))
        elif how == "cut":
            del content[start : start + length]
        elif how == "double":
            content[start:start] = content[start : start + length]
        elif how == "end":
            del content[start:]
        else:
            content[start:start] = draw(st.binary(max_size=16))
    return bytes(content)


@st.composite
def json_like(draw, original):
    """Return the text of a JSON object with values replaced, removed or added at any depth."""
    data = json.loads(json.dumps(original))
    for _ in range(draw(st.integers(1, 3))):
        place = data
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            deeper = isinstance(place[key], (dict, list)) and place[key]
            if deeper and draw(st.booleans()):
                place = place[key]
                continue
            how = draw(st.sampled_from(["replace", "remove", "add"]))
            if how == "replace":
                place[key] = draw(VALUES)
            elif how == "remove":
                del place[key]
            elif isinstance(place, dict):
                place[draw(st.text(max_size=8))] = draw(VALUES)
            break
    return json.dumps(data)
