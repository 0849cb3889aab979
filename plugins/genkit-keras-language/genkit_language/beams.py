"""Beam search: several texts go on side by side, and the likeliest of all that end is kept."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from genkit_language.sampling import against_repeats

_NEVER = -1e9
_FIRST = 1e9


def with_beams(state: dict[str, Any], beams: int, penalty: Any) -> dict[str, Any]:
    """Return a state whose rows are ``beams`` texts of each item, side by side.

    Args:
        state: as ``GPT.first_state`` makes it, a row an item.
        beams: how many, at least 1.
        penalty: scalar tensor. A text's score is the logarithm of its chance, divided by the
            number of its tokens behind the prompt to this power (Wu et al. 2016, plainer); 0 for
            the likeliest text, 1 for the likeliest a token, above 1 for longer ones.

    Returns:
        the state of ``next_beams``. Its ``search`` has a row an item: the ``sums`` of logarithms
        of each text, whether the first of them is still the ``greedy`` one, and the ``best`` that
        has ended.
    """
    alone = state["alone"]
    first = ops.arange(beams, dtype="int32") == 0  # all else begins when the first parts
    sums = ops.where(first, 0.0, _NEVER) + 0.0 * ops.cast(alone, "float32")[:, None]
    search = {
        "sums": sums,
        "greedy": alone >= 0,
        "penalty": penalty,
        "begun": {"tokens": state["tokens"], "count": state["count"]},
        "best": {"tokens": state["tokens"], "count": state["count"], "score": _NEVER + sums[:, 0]},
    }
    spread: dict[str, Any] = {
        name: ops.repeat(state[name], beams, axis=0)
        for name in ("tokens", "count", "seen")
        if name in state
    }
    cache = keras.tree.map_structure(lambda x: ops.repeat(x, beams, axis=0), state["cache"])
    kept = {name: value for name, value in state.items() if name != "uniform"}
    if "stop" in state:
        spread["stop"] = {**state["stop"], "at": ops.repeat(state["stop"]["at"], beams, axis=0)}
    return {**kept, **spread, "cache": cache, "search": search}


def next_beams(model: Any, state: dict[str, Any]) -> dict[str, Any]:
    """Go on by one token in each text; of all ways to go on the likeliest are kept.

    The greedy text, which temperature 0 writes, is always among them until it ends: so the score
    of the best is never below its own.

    Args:
        model: a ``GPT``.
        state: as ``with_beams`` makes it.
    """
    search, tokens, count = state["search"], state["tokens"], state["count"]
    beams, size, steps = search["sums"].shape[1], model.network.size, state["steps"] + 1
    last = ops.take_along_axis(tokens, count[:, None] - 1, axis=1)[:, 0]
    scores, cache = model.network.step(last, count - 1, state["cache"])
    scores = ops.cast(scores, "float32")
    if "seen" in state:
        scores = against_repeats(scores, state["seen"], state["asked"]["repetition_penalty"])
    chances = ops.reshape(ops.log_softmax(scores, axis=-1), (-1, beams, size))
    totals = search["sums"][:, :, None] + chances
    weight = ops.power(ops.cast(steps, "float32"), search["penalty"])
    greedy, best, end = search["greedy"], search["best"], model.tokenizer.end
    likeliest = ops.cast(ops.argmax(chances[:, 0], axis=-1), "int32")
    names = ops.arange(size, dtype="int32")
    if end is not None:
        ends = {"tokens": tokens, "count": count}
        best = _better(best, totals[:, :, end] / weight, ends, state["ended"])
        greedy = ops.logical_and(greedy, likeliest != end)
        totals = ops.where(names == end, _NEVER, totals)
    is_greedy = ops.logical_and(greedy[:, None], names == likeliest[:, None])[:, None]
    is_first = (ops.arange(beams, dtype="int32") == 0)[:, None]
    ranked = ops.where(ops.logical_and(is_greedy, is_first), _FIRST, totals)
    places = ops.cast(ops.top_k(ops.reshape(ranked, (-1, beams * size)), beams)[1], "int32")
    sums = ops.take_along_axis(ops.reshape(totals, (-1, beams * size)), places, axis=1)
    drawn = ops.reshape(places % size, (-1,))
    rows = _rows(places // size, beams)
    tokens, count = ops.take(tokens, rows, axis=0), ops.take(count, rows, axis=0)
    here = ops.arange(tokens.shape[1], dtype="int32") == count[:, None]
    tokens, count = ops.where(here, drawn[:, None], tokens), count + 1
    new = {
        **state,
        "tokens": tokens,
        "count": count,
        "steps": steps,
        "cache": keras.tree.map_structure(lambda x: ops.take(x, rows, axis=0), cache),
    }
    over = ops.logical_and(count >= 0, steps >= state["most"])
    if model.config.places == "learned":
        over = ops.logical_or(over, count > model.config.context)
    if "seen" in state:
        seen = ops.take(state["seen"], rows, axis=0)
        new["seen"] = ops.logical_or(seen, drawn[:, None] == names)
    if "stop" in state:
        stop = state["stop"]
        at = ops.take(stop["at"], rows, axis=0)
        at = ops.take(ops.reshape(stop["table"], (-1,)), at * size + drawn)
        new["stop"] = {**stop, "at": at}
        over = ops.logical_or(over, ops.take(stop["found"], at))
    over = ops.reshape(over, (-1, beams))
    done = ops.where(over, sums / weight, _NEVER)
    best = _better(best, done, {"tokens": tokens, "count": count}, state["ended"])
    sums = ops.where(over, _NEVER, sums)
    # A sum only falls: this is the most that a text can still come to.
    most = ops.max(sums, axis=1) / ops.power(ops.cast(state["most"], "float32"), search["penalty"])
    greedy = ops.logical_and(greedy, ops.logical_not(over[:, 0]))
    new["ended"] = ops.logical_or(state["ended"], best["score"] >= most)
    new["search"] = {**search, "sums": sums, "greedy": greedy, "best": best}
    return new


def best_so_far(state: dict[str, Any]) -> tuple[Any, Any]:
    """Return the tokens and the count of the best text of each item; of its prompt until it ends.

    Args:
        state: as ``next_beams`` returns it.
    """
    best, begun, ended = state["search"]["best"], state["search"]["begun"], state["ended"]
    tokens = ops.where(ended[:, None], best["tokens"], begun["tokens"])
    return tokens, ops.where(ended, best["count"], begun["count"])


def _rows(places: Any, beams: int) -> Any:
    """Return which rows of all texts are meant by places among an item's, ``(items, n)``."""
    items = ops.cumsum(ops.ones_like(places[:, :1]), axis=0) - 1
    return ops.reshape(items * beams + places, (-1,))


def _better(best: dict[str, Any], scores: Any, texts: dict[str, Any], ended: Any) -> dict[str, Any]:
    """Return the best of each item when some more texts have ended.

    Args:
        best: ``tokens``, ``count`` and ``score`` of the best until now.
        scores: of each item's texts, ``(items, beams)``.
        texts: their tokens and counts, a row each.
        ended: which items stay as they are.
    """
    score = ops.max(scores, axis=1)
    better = ops.logical_and(ops.logical_not(ended), score > best["score"])
    place = ops.cast(ops.argmax(scores, axis=1), "int32")[:, None]
    rows = _rows(place, scores.shape[1])
    tokens, count = (ops.take(texts[name], rows, axis=0) for name in ("tokens", "count"))
    return {
        "tokens": ops.where(better[:, None], tokens, best["tokens"]),
        "count": ops.where(better, count, best["count"]),
        "score": ops.where(better, score, best["score"]),
    }
