"""The built-in extractors' records."""

from __future__ import annotations

from genkit.plugins.item_specs import ExtractorSpec

_EXTRACTORS = "genkit.evaluation.extractors"

EXTRACTORS = tuple(
    ExtractorSpec(
        name=name,
        summary=summary,
        extractor=f"{_EXTRACTORS}.{extractor}",
        modality="image",
        usual=name == "pixels",
    )
    for name, extractor, summary in (
        (
            "mnist-classifier",
            "classifier:MnistClassifier",
            "128 features of a small classifier of digits, and its ten classes",
        ),
        (
            "fashion-classifier",
            "classifier:FashionClassifier",
            "128 features of a small classifier of clothes, and its ten classes",
        ),
        (
            "mobilenet",
            "applications:MobileNet",
            "960 features of MobileNetV3, and ImageNet's classes; 22 MB, downloaded on use",
        ),
        (
            "inception",
            "applications:Inception",
            "2,048 features of InceptionV3, and ImageNet's classes; 96 MB, downloaded on use",
        ),
        ("pixels", "pixels:Pixels", "The pixels themselves, rounded to 8 bits"),
    )
)
