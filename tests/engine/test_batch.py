"""A batch is what every backend computes with, or it is refused by name."""

import keras
import numpy as np
import pytest
from keras import ops

import genkit
from genkit.engine.batch import checked_batch
from genkit.errors import DataError

pytestmark = pytest.mark.usefixtures("active_backend")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (np.array(["a", "b"]), "received text"),
        (np.array(["a", None], object), "received text or objects"),
        (np.array(["2026-01-01"], "datetime64[D]"), "received dates"),
        (np.array([1], "timedelta64[s]"), "received durations"),
        ("a", "received str"),
        ({"inner": np.ones(2)}, "received dict"),
        (np.array([0, 2**31]), "received 0 to 2147483648"),
        (np.array([2**63], "uint64"), "received 9223372036854775808"),
    ],
)
def test_what_no_backend_computes_with_is_refused_by_name(value, said):
    with pytest.raises(DataError, match=f"'odd'.*{said}") as caught:
        checked_batch({"fine": np.ones(2), "odd": value})
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    ("given", "received"),
    [("float64", "float32"), ("int64", "int32"), ("uint64", "int32"), ("float32", "float32"),
     ("float16", "float16"), ("uint8", "uint8"), ("bool", "bool"), ("uint32", "uint32")],
)  # fmt: skip
def test_wide_numbers_are_narrowed_alike_for_all(given, received):
    assert checked_batch({"x": np.ones(3, given)})["x"].dtype == received


def test_tensors_and_scalars_pass():
    tensor = ops.ones((2, 3))
    batch = checked_batch({"tensor": tensor, "rate": np.float32(0.5), "number": 0.5})
    assert batch["tensor"] is tensor
    assert batch["rate"] == batch["number"] == 0.5


class Reading(genkit.Model):
    """Fits a line, and notes the dtypes of what it is given."""

    def __init__(self, fields):
        super().__init__()
        self.line = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        self.add_optimizer("line", keras.optimizers.SGD(0.1), self.line)
        self.fields, self.seen = fields, {}

    def noise(self, rng, n):
        return {"z": rng.standard_normal((n, 1))}

    def training_step(self, batch, minimize):
        self.seen = {name: keras.backend.standardize_dtype(x.dtype) for name, x in batch.items()}
        loss, _ = minimize("line", lambda z: ops.mean(ops.square(self.line(z))), batch["z"])
        return {"loss": loss}


def source(**columns):
    fields = {name: genkit.Field((), str(a.dtype), "number") for name, a in columns.items()}
    return genkit.data.ArraySource(columns, genkit.Schema(fields))


def test_a_step_sees_the_same_dtypes_on_every_backend():
    model = Reading(())
    columns = {"wide": np.arange(8), "real": np.ones(8), "small": np.ones(8, "uint8")}
    model.fit(source(**columns), steps=2, batch_size=4, verbose=False)
    assert model.seen == {"wide": "int32", "real": "float32", "small": "uint8", "z": "float32"}


def test_integers_that_32_bits_do_not_hold_are_refused_in_training():
    keys = source(key=np.arange(8) + 2**40)
    with pytest.raises(DataError, match="'key'"):
        Reading(()).fit(keys, steps=1, batch_size=4, verbose=False)
