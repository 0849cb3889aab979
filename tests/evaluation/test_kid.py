"""KID: against the definition, against torchmetrics, and against itself."""

import numpy as np
import pytest

from genkit.errors import UsageError
from genkit.evaluation.metrics import kid as module
from genkit.evaluation.metrics.kid import KernelDistance
from tests.evaluation.shown import context, gaussians, measured


def kid(generated, real):
    return measured(KernelDistance(context()), generated=generated, real=real)["kid"]


def by_definition(generated, real):
    def kernel(a, b):
        return (a.astype(np.float64) @ b.T.astype(np.float64) / a.shape[1] + 1) ** 3

    def among(x):
        k = kernel(x, x)
        return (k.sum() - np.trace(k)) / (len(x) * (len(x) - 1))

    return among(generated) + among(real) - 2 * kernel(generated, real).mean()


def test_agrees_with_the_definition():
    generated, real = gaussians(1, 301, shift=0.4), gaussians(2, 407)
    assert kid(generated, real).value == pytest.approx(by_definition(generated, real), rel=1e-9)


@pytest.mark.cross_backend  # where torch is installed
def test_agrees_with_torchmetrics():
    torch = pytest.importorskip("torch")
    image = pytest.importorskip("torchmetrics.image.kid")
    generated, real = gaussians(1, 300, shift=0.4), gaussians(2, 300)
    other = image.poly_mmd(*(torch.from_numpy(each).double() for each in (generated, real)))
    assert kid(generated, real).value == pytest.approx(float(other), rel=1e-3)


def test_known_answer_on_shifted_gaussians():
    # Along one axis of one-dimensional features the kernel is (xy + 1)^3, so that
    # MMD^2 = sum_k C(3, k) (E x^k - E y^k)^2 with the moments of N(1, 1) and N(0, 1).
    shifted, plain = (1, 2, 4), (0, 1, 0)
    binomials = (3, 3, 1)
    expected = sum(c * (a - b) ** 2 for c, a, b in zip(binomials, shifted, plain, strict=True))
    figure = kid(gaussians(1, 5000, 1, shift=1), gaussians(2, 5000, 1))
    assert figure.low < expected < figure.high
    assert figure.value == pytest.approx(expected, rel=0.1)


def test_interval_of_one_distribution_holds_zero_mostly():
    holds = 0
    for seed in range(40):
        figure = kid(gaussians(2 * seed, 200), gaussians(2 * seed + 1, 200))
        holds += figure.low <= 0 <= figure.high
    assert holds >= 34


def test_memory_is_capped_and_the_cap_is_on_the_card(monkeypatch):
    monkeypatch.setattr(module, "LIMIT", 200)
    metric = KernelDistance(context())
    figure = measured(metric, generated=gaussians(1, 3000), real=gaussians(2, 3000))["kid"]
    assert len(metric._kept["generated"].rows) == 200
    assert figure.card["at_most"] == 200


def test_order_does_not_matter():
    generated, real = gaussians(1, 500, shift=0.4), gaussians(2, 400)
    assert kid(generated[::-1], real).value == pytest.approx(kid(generated, real).value, rel=1e-9)


def test_too_few_items_are_refused():
    with pytest.raises(UsageError, match="40 generated items or more; received 10"):
        kid(gaussians(1, 10), gaussians(2, 100))
