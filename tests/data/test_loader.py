import subprocess
import sys
import textwrap
import threading
import time
from itertools import chain

import numpy as np
import pytest

from genkit.data import (
    ArraySource,
    ColumnSource,
    Loader,
    Ragged,
    Source,
    as_source,
    parse_transforms,
    transformed,
)
from genkit.errors import DataError, GenkitError, UsageError
from genkit.plugins.specs import Field, Schema

N, BATCH = 25, 4  # six batches an epoch, one item left over


def draw(rng, n):
    return {"z": rng.standard_normal((n, 3), dtype="float32")}


def numbered(n=N):
    """Images whose first pixel is their number."""
    images = np.zeros((n, 2, 2, 1), "uint8")
    images[:, 0, 0, 0] = np.arange(n)
    return as_source({"image": images, "label": np.arange(n) % 3})


def take(count, source=None, **settings):
    settings = {"batch_size": BATCH, "seed": 0, "noise": draw} | settings
    with Loader(source or numbered(), **settings) as loader:
        return [next(loader) for _ in range(count)]


def numbers(batches):
    return [batch["image"][:, 0, 0, 0].tolist() for batch in batches]


def assert_same(first, second):
    assert first.keys() == second.keys()
    for name, array in first.items():
        assert array.dtype == second[name].dtype
        np.testing.assert_array_equal(array, second[name])


def prefetch_threads():
    return [t for t in threading.enumerate() if t.name.startswith("grain")]


def assert_no_thread_is_left():
    deadline = time.monotonic() + 5
    while prefetch_threads() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert prefetch_threads() == []


def test_an_epoch_takes_each_item_at_most_once_in_full_batches():
    batches = numbers(take(12))
    for epoch in (batches[:6], batches[6:]):
        seen = list(chain.from_iterable(epoch))
        assert len(seen) == len(set(seen)) == 24
    assert batches[:6] != batches[6:]


def test_over_the_epochs_every_item_is_seen():
    assert {n for batch in numbers(take(60)) for n in batch} == set(range(N))


def test_the_order_is_shuffled_and_follows_the_seed():
    first, again, other = (numbers(take(6, seed=seed)) for seed in (0, 0, 1))
    assert first == again
    assert first != other
    assert first != sorted(first)


def test_the_next_seed_is_not_the_next_epoch():
    assert numbers(take(12, seed=0))[6:] != numbers(take(6, seed=1))


@pytest.mark.parametrize("batches_per_step", [1, 4])
@pytest.mark.parametrize("start", [1, 5, 6, 7, 13])
def test_a_loader_started_at_a_step_goes_on_bit_for_bit(start, batches_per_step):
    source = transformed(numbered(), parse_transforms(["flip"]))
    settings = {"source": source, "batches_per_step": batches_per_step}
    whole = take(start + 8, **settings)
    rest = take(8, start_step=start, **settings)
    for both in zip(whole[start:], rest, strict=True):
        pairs = [both] if batches_per_step == 1 else zip(*both, strict=True)
        for one, other in pairs:
            assert_same(one, other)


def test_the_step_says_where_to_go_on():
    with Loader(numbered(), batch_size=BATCH, seed=0, start_step=2) as loader:
        assert loader.step == 2
        next(loader)
        time.sleep(0.05)  # what is prefetched doesn't count
        assert loader.step == 3
        expected = next(loader)
    assert_same(expected, take(1, start_step=3, noise=None)[0])


def test_several_batches_a_step_are_the_same_batches_in_tuples():
    flat = take(9)
    grouped = take(3, batches_per_step=3)
    assert [len(group) for group in grouped] == [3, 3, 3]
    for one, other in zip(flat, [batch for group in grouped for batch in group], strict=True):
        assert_same(one, other)


def test_each_batch_has_noise_of_its_own():
    noise = np.stack([batch["z"] for batch in take(8)])
    assert noise.shape == (8, BATCH, 3)
    assert len(np.unique(noise)) == noise.size


def test_epochs_are_counted_in_steps():
    with Loader(numbered(), batch_size=BATCH, seed=0) as loader:
        assert loader.steps_per_epoch == 6
        assert [loader.epoch_of(step) for step in (0, 5, 6, 12)] == [0, 0, 1, 2]
    with Loader(numbered(), batch_size=BATCH, seed=0, batches_per_step=4) as loader:
        assert loader.steps_per_epoch == 1
        assert [loader.epoch_of(step) for step in (0, 1, 2, 3)] == [0, 0, 1, 2]
    with Loader(numbered(), batch_size=N, seed=0, batches_per_step=5) as loader:
        assert loader.steps_per_epoch == 1


def test_a_batch_of_the_whole_data_is_a_permutation():
    assert sorted(numbers(take(1, batch_size=N))[0]) == list(range(N))


def test_text_stays_behind():
    schema = Schema(
        {
            "image": Field((1, 1, 1), "uint8", "image", (0, 255)),
            "caption": Field((), "string", "text"),
        }
    )
    arrays = {"image": np.zeros((4, 1, 1, 1), "uint8"), "caption": np.array(list("abcd"))}
    source = ArraySource(arrays, schema)
    assert source.gather(np.array([1]))["caption"].tolist() == ["b"]
    assert take(1, source=source)[0].keys() == {"image", "z"}


def test_a_batch_larger_than_the_data_says_what_to_pass():
    with pytest.raises(DataError, match=r"25 items; .* of 26\. Pass --batch-size 25 or less"):
        Loader(numbered(), batch_size=26, seed=0)


@pytest.mark.parametrize(
    "settings", [{"batch_size": 0}, {"batches_per_step": 0}, {"start_step": -1}, {"seed": -1}]
)
def test_numbers_out_of_range_are_refused(settings):
    with pytest.raises(UsageError):
        take(1, **settings)


def test_noise_named_like_a_data_field_is_refused():
    with pytest.raises(GenkitError, match=r"both have \['image'\]"):
        take(1, noise=lambda rng, n: {"image": rng.random(n)})


class Failing(Source):
    schema = Schema({"vector": Field((1,), "float32", "vector")})

    def __len__(self):
        return 8

    def gather(self, indices):
        raise DataError("the disk is gone")

    def fingerprint(self):
        return ""


def test_an_error_in_the_background_reaches_the_consumer_and_ends_the_loader():
    loader = Loader(Failing(), batch_size=4, seed=0)
    with pytest.raises(DataError, match="the disk is gone"):
        next(loader)
    with pytest.raises(GenkitError, match="closed"):
        next(loader)
    assert_no_thread_is_left()


def test_closing_leaves_no_thread():
    with Loader(numbered(), batch_size=BATCH, seed=0) as loader:
        next(loader)
        assert prefetch_threads()
    assert_no_thread_is_left()
    loader.close()
    with pytest.raises(GenkitError, match="closed"):
        next(loader)


def test_a_loader_that_is_forgotten_leaves_no_thread():
    loader = Loader(numbered(), batch_size=BATCH, seed=0)
    next(loader)
    del loader
    assert_no_thread_is_left()


def test_the_process_ends_with_an_open_loader_and_imports_no_framework():
    script = """
        import sys
        import numpy as np
        from genkit.data import Loader, as_source
        loader = Loader(as_source(np.zeros((64, 2, 2, 1), "uint8")), batch_size=4, seed=0)
        next(loader)
        print(sorted({"jax", "tensorflow", "torch", "keras"} & set(sys.modules)))
        import importlib.util
        print(sys.meta_path[0].__class__.__name__ == "_Refusal")
        raise SystemExit(3)
    """
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 3
    assert done.stdout == "[]\nFalse\n"
    assert done.stderr == ""


def test_a_batch_is_gathered_at_once_and_its_noise_drawn_at_once():
    gathered, drawn = [], []

    class Counting(ArraySource):
        def gather(self, indices):
            gathered.append(len(indices))
            return super().gather(indices)

    def counted(rng, n):
        drawn.append(n)
        return draw(rng, n)

    schema = Schema({"image": Field((2, 2, 1), "uint8", "image", range=(0, 255))})
    source = Counting({"image": np.zeros((N, 2, 2, 1), "uint8")}, schema)
    take(5, source, noise=counted)
    # Some batches are ready before they are asked for.
    assert set(gathered) == set(drawn) == {BATCH}
    assert 5 <= len(gathered) <= 20
    assert 5 <= len(drawn) <= 20


class Drawing(ArraySource):
    """Puts a draw beside the items of each batch."""

    def draw(self, indices, rng):
        return {"beside": rng.random((len(indices), 2), dtype="float32")}


def varying():
    rng = np.random.default_rng(0)
    items = Ragged.of([rng.integers(0, 9, n % 20 + 1) for n in range(48)], "int32")
    return ColumnSource({"word": items}, Schema({"word": Field((None,), "int32", "word")}))


@pytest.mark.parametrize(
    "source",
    [
        numbered(48),
        transformed(numbered(48), parse_transforms(["flip"])),
        Drawing(dict(numbered(48).arrays), numbered(48).schema),
        varying(),
    ],
    ids=["plain", "random transform", "draws", "varying length"],
)
@pytest.mark.parametrize("parts", [2, 4])
def test_parts_of_a_batch_are_the_batch(source, parts):
    settings = {"source": source, "batch_size": 8, "start_step": 3}
    whole = take(4, **settings)
    pieces = [take(4, part=(place, parts), **settings) for place in range(parts)]
    for batch, *of_batch in zip(whole, *pieces, strict=True):
        assert {len(rows) for piece in of_batch for rows in piece.values()} == {8 // parts}
        names = batch.keys()
        assert_same(batch, {k: np.concatenate([piece[k] for piece in of_batch]) for k in names})


def test_a_part_reads_its_own_items_alone():
    read = []

    class Watched(ArraySource):
        def gather(self, indices):
            read.append(len(indices))
            return super().gather(indices)

    source = Watched(dict(numbered(48).arrays), numbered(48).schema)
    take(2, source=source, batch_size=8, part=(1, 4))
    assert set(read) == {2}


def test_a_batch_that_parts_do_not_divide_is_refused():
    with pytest.raises(UsageError, match="3 workers can divide; received a batch size of 4"):
        take(1, part=(0, 3))


def test_what_has_no_row_an_item_cannot_be_divided():
    class Beside(ArraySource):
        def draw(self, indices, rng):
            return {"beside": np.zeros(3, "float32")}

    source = Beside(dict(numbered(48).arrays), numbered(48).schema)
    with pytest.raises(UsageError, match="Expected 4 rows of 'beside', one an item"):
        take(1, source=source, part=(0, 2))
