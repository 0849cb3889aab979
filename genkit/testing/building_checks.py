"""Checks of models before they are trained: what they take, and what they refuse."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from genkit.errors import GenkitError
from genkit.plugins.specs import Field, Schema
from genkit.testing.check import checks
from genkit.testing.fakes import MODALITIES, ODD_IMAGE, toy_schema
from genkit.testing.outcomes import CheckFailed, Skipped

if TYPE_CHECKING:
    from genkit.testing.training import TrainedSubject


@checks("models")
def check_builds_for_the_smallest_input(subject: TrainedSubject) -> None:
    """It builds for small toy data; images are tried from 8x8 on, until it takes them."""
    model = subject.build()
    if subject.stepwise and not model.optimizers:
        raise CheckFailed(
            "Expected named optimizers; the model has none.",
            "Add them in __init__: self.add_optimizer(name, optimizer, network).",
        )


@checks("models")
def check_builds_for_an_odd_input(subject: TrainedSubject) -> None:
    """It builds for images of 12x20 in colour, or for vectors, or refuses with a GenkitError."""
    _require_toys(subject, "odd")
    _build_or_refuse(subject, toy_schema(subject.spec.accepts, ODD_IMAGE))


@checks("models")
def check_refuses_what_it_cannot_take(subject: TrainedSubject) -> None:
    """Strange data is taken or refused with a GenkitError, never with another exception."""
    _require_toys(subject, "strange")
    for schema in _strange(subject.spec.accepts):
        _build_or_refuse(subject, schema)
    try:
        subject.build(Schema({"other": Field((3,), "float32", "nothing-it-knows")}))
    except GenkitError:
        return
    raise CheckFailed(
        f"Expected data without {', '.join(subject.spec.accepts) or 'anything'} to be refused; "
        "the model was built.",
        "Name in the record's `accepts` what the model needs.",
    )


def _require_toys(subject: TrainedSubject, kind: str) -> None:
    accepts = set(subject.spec.accepts)
    if not accepts or not accepts <= set(MODALITIES):
        raise Skipped(f"there are no {kind} toy data of its modalities")


def _strange(accepts: tuple[str, ...]) -> Iterator[Schema]:
    plain = toy_schema(accepts)
    if "image" in accepts:
        yield plain.replace(image=Field((None, None, 3), "uint8", "image", (0, 255)))
        yield plain.replace(image=Field((1, 1, 1), "uint8", "image", (0, 255)))
        yield plain.replace(image=Field((8, 8), "uint8", "image", (0, 255)))
    if "label" in accepts:
        yield plain.replace(label=Field((), "int32", "label"))
    if "vector" in accepts:
        yield plain.replace(vector=Field((None,), "float32", "vector"))


def _build_or_refuse(subject: TrainedSubject, schema: Schema) -> None:
    try:
        subject.build(schema)
    except GenkitError:
        return
    except Exception as error:
        received = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        raise CheckFailed(
            f"Expected the model to be built for {dict(schema.fields)} or to refuse it with a "
            f"GenkitError; received {received}.",
            "Look at the schema first, and raise genkit.errors.DataError.",
        ) from error
