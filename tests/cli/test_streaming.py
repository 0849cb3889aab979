"""Any number of samples is generated in the memory of one batch."""

import tracemalloc

import numpy as np
import pytest

from genkit.report.archives import write_npz
from tests.engine.small import mlp_gan

pytestmark = pytest.mark.usefixtures("active_backend", "compiled_fast")


def test_batches_are_the_samples_in_order():
    model = mlp_gan()
    batches = list(model.generate_batches(150, seed=3))
    assert [len(batch) for batch in batches] == [64, 64, 22]
    np.testing.assert_array_equal(np.concatenate(batches), model.generate(150, seed=3))


@pytest.mark.slow
@pytest.mark.once
def test_an_npz_file_takes_the_memory_of_a_batch(tmp_path):
    rng = np.random.default_rng(0)
    count, size = 4000, 4096

    def batches():
        for start in range(0, count, 64):
            n = min(64, count - start)
            yield {"samples": rng.random((n, size), dtype=np.float32)}

    tracemalloc.start()
    file = tmp_path / "samples.npz"
    with file.open("wb") as out:
        write_npz(batches(), out)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10 * 64 * size * 4  # all of them would take 62 batches
    with np.load(file) as archive:
        assert archive["samples"].shape == (count, size)
        expected = np.random.default_rng(0).random((64, size), dtype=np.float32)
        np.testing.assert_array_equal(archive["samples"][:64], expected)
