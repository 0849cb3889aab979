"""Inception score, class coverage and label agreement: what a classifier sees."""

import numpy as np
import pytest

from genkit.evaluation.metrics.class_coverage import ClassCoverage
from genkit.evaluation.metrics.inception_score import InceptionScore
from genkit.evaluation.metrics.label_agreement import LabelAgreement
from genkit.plugins.specs import Field, Schema
from tests.evaluation.shown import Given, context, gaussians, measured

TEN = tuple("0123456789")


class Conditional:
    conditional = True


def sure(classes, of=10):
    return np.eye(of, dtype="float32")[classes]


def settings(**more):
    fields = {
        "image": Field((8, 8, 1), "float32", "image", (0, 1)),
        "label": Field((), "int32", "label", classes=TEN),
    }
    return context(Schema(fields), more.pop("extractor", Given(TEN)), **more)


def score(probabilities):
    return measured(InceptionScore(settings()), generated=probabilities)["inception-score"]


def test_inception_score_of_sure_even_classes_is_their_number_and_of_one_class_is_one():
    assert score(sure(np.arange(1000) % 10)).value == pytest.approx(10)
    assert score(sure(np.zeros(1000, int))).value == pytest.approx(1)
    assert score(np.full((1000, 10), 0.1, "float32")).value == pytest.approx(1)


@pytest.mark.filterwarnings("ignore:Metric `InceptionScore` will save:UserWarning")
@pytest.mark.filterwarnings("ignore:std\\(\\):UserWarning")  # of one split
@pytest.mark.cross_backend  # where torch is installed
def test_inception_score_agrees_with_torchmetrics():
    torch = pytest.importorskip("torch")
    image = pytest.importorskip("torchmetrics.image.inception")
    logits = gaussians(0, 600, 10, scale=2)
    other = image.InceptionScore(feature=torch.nn.Flatten(), splits=1)
    other.update(torch.from_numpy(logits))
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    figure = score(p)
    assert figure.value == pytest.approx(float(other.compute()[0]), rel=1e-3)
    assert figure.low < figure.value < figure.high


def coverage(generated, real):
    metric = ClassCoverage(settings())
    return measured(metric, generated=sure(generated), real=sure(real))["class-coverage"]


def test_a_class_that_is_never_made_lowers_coverage():
    real = np.arange(1000) % 10
    assert coverage(real, real).value == 1
    figure = coverage(np.arange(1000) % 7, real)
    assert (figure.value, figure.low, figure.high) == pytest.approx((0.7, 0.7, 0.7))


def test_a_class_that_is_hardly_made_is_not_covered():
    real = np.arange(1000) % 10
    few = np.concatenate([np.arange(995) % 9, np.full(5, 9)])
    assert coverage(few, real).value == pytest.approx(0.9)
    enough = np.concatenate([np.arange(950) % 9, np.full(50, 9)])
    assert coverage(enough, real).value == 1


def test_classes_that_the_data_lacks_do_not_count():
    assert coverage(np.zeros(50, int), np.zeros(50, int)).value == 1


def agreement(context, seen_as, asked):
    metric = LabelAgreement(context)
    labels = {"generated": asked}
    return measured(metric, labels, generated=sure(seen_as))["label-agreement"]


def test_label_agreement_counts_samples_of_the_class_asked_for():
    asked = np.arange(500) % 10
    seen = np.where(np.arange(500) < 400, asked, (asked + 1) % 10)
    figure = agreement(settings(model=Conditional()), seen, asked)
    assert figure.value == pytest.approx(0.8)
    assert figure.low < 0.8 < figure.high


def test_label_agreement_goes_by_the_names_of_the_classes():
    reverse = settings(model=Conditional(), extractor=Given(TEN[::-1]))
    asked = np.arange(500) % 10
    assert agreement(reverse, 9 - asked, asked).value == 1


def test_without_a_classifier_or_a_label_to_ask_for_they_are_unfit():
    blind = settings(extractor=Given())
    for metric in (InceptionScore, ClassCoverage, LabelAgreement):
        assert "classes" in metric.unfit(blind)
    assert "asked for" in LabelAgreement.unfit(settings())
    others = settings(model=Conditional(), extractor=Given(("cat", "dog")))
    assert "other classes" in LabelAgreement.unfit(others)
    assert not LabelAgreement.unfit(settings(model=Conditional()))
    assert not InceptionScore.unfit(settings())
