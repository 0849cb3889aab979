"""The built-in metrics' records."""

from __future__ import annotations

from genkit.plugins.specs import MetricSpec

_METRICS = "genkit.evaluation.metrics"
_KEEPS_VIEWS = {
    "memory_is_bounded": "it compares items: it keeps views of up to 10,000 of a stream, and "
    "waits with more than 256 MiB in a file, which is a bound that few items don't show"
}

METRICS = tuple(
    MetricSpec(
        name=name,
        summary=summary,
        metric=f"{_METRICS}.{metric}",
        direction=direction,
        modality="image" if name == "path-smoothness" else "any",
        expected_failures=_KEEPS_VIEWS if name in ("memorisation", "membership-inference") else {},
    )
    for name, metric, direction, summary in (
        ("fid", "frechet:FrechetDistance", "min", "Frechet distance of features, FID"),
        ("kid", "kid:KernelDistance", "min", "Kernel distance of features, KID; unbiased"),
        ("prdc", "neighbours:Neighbours", "max", "Improved precision, recall, density, coverage"),
        (
            "inception-score",
            "inception_score:InceptionScore",
            "max",
            "Clear classes, evenly there, in the eyes of the extractor's classifier",
        ),
        (
            "class-coverage",
            "class_coverage:ClassCoverage",
            "max",
            "Share of the data's classes that samples cover",
        ),
        (
            "label-agreement",
            "label_agreement:LabelAgreement",
            "max",
            "Share of samples that are of the class asked for",
        ),
        ("diversity", "diversity:Diversity", "max", "Mean distance between samples, as of LPIPS"),
        (
            "memorisation",
            "memorisation:Memorisation",
            "max",
            "Distance to training data against held-out data; copies",
        ),
        (
            "membership-inference",
            "membership:MembershipInference",
            "min",
            "AUC of an attacker who tells training data from held-out data",
        ),
        (
            "path-smoothness",
            "smoothness:PathSmoothness",
            "min",
            "Perceptual path length between latents",
        ),
    )
)
