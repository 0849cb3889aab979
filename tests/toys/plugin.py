"""Data and models of three modalities that the core knows nothing of, on public names alone."""

import genkit

HERE = "tests.toys"


@genkit.hookimpl
def genkit_datasets():
    for name, modality, summary in (
        ("sayings", "text", "Made-up sayings, as numbers of their characters"),
        ("people", "number", "A table with missing values, dates, long integers and a constant"),
        ("beeps", "audio", "Tones of many lengths"),
        ("postcards", "image", "Pictures with captions"),
    ):
        yield genkit.DatasetSpec(
            name=name,
            summary=summary,
            source=f"{HERE}.{name}:open_{name}",
            config=f"{HERE}.settings:ToyData",
            modality=modality,
            splits=("train", "test"),
            subset=("limit",),
            licence="made by the program",
        )
    yield genkit.DatasetSpec(
        name="measures",
        summary="A small table of numbers with labels",
        source=f"{HERE}.measures:open_measures",
        config=f"{HERE}.settings:MeasuresData",
        modality="number",
        splits=("train", "test"),
        subset=("per_class", "subset_seed", "subset"),
        licence="made by the program",
    )


@genkit.hookimpl
def genkit_models():
    for name, data, model, fields in (
        ("bigrams", "sayings", "Bigrams", {"accepts": ("text",), "capabilities": ()}),
        ("rows", "people", "Rows", {"accepts": ("number", "category"),
                                    "conditions": (genkit.Condition("job"),),
                                    "generates": ("number", "category", "date", "id")}),
        ("chime", "beeps", "Chime", {"accepts": ("audio",)}),
        ("collage", "postcards", "Collage", {"accepts": ("image", "text"),
                                             "generates": ("image", "text")}),
    ):  # fmt: skip
        yield genkit.ModelSpec(
            name=name,
            summary=f"The smallest model that learns from {data}",
            model=f"{HERE}.{data}:{model}",
            config=f"{HERE}.settings:ToyModel",
            presets={"default": {"dataset": data, "steps": 20, "batch_size": 16}},
            **fields,
        )
    yield genkit.ModelSpec(
        name="writer",
        summary="Goes on from a prompt, character by character",
        model=f"{HERE}.writer:Writer",
        config=f"{HERE}.settings:WriterConfig",
        options={"generate": f"{HERE}.settings:WritingOptions"},
        capabilities=("generate",),
        conditions=(genkit.Condition("prompt", modality="text"),),
        accepts=("text",),
        presets={"default": {"dataset": "sayings", "steps": 200, "batch_size": 16}},
        tiny={"layers": 1, "heads": 2, "width": 16, "context": 16},
    )

    yield genkit.ModelSpec(
        name="bells",
        summary="A normal distribution a class",
        model=f"{HERE}.measures:Bells",
        config="genkit.plugins.config:Config",
        accepts=("number", "label"),
        generates=("number",),
        conditions=(genkit.Condition("label", modality="label"),),
        trainer="closed-form",
        presets={"default": {"dataset": "measures"}},
    )


@genkit.hookimpl
def genkit_learners():
    yield genkit.LearnerSpec(
        name="centroids",
        summary="Names the class whose mean row is nearest",
        learner=f"{HERE}.measures:Centroids",
        modality="number",
        classical=("jitter",),
    )


@genkit.hookimpl
def genkit_transforms():
    for name, summary, example in (
        ("trim", "Silence at both ends cut off, below so many decibels", "trim=-40"),
        ("every", "Every second, third, ... sample alone, at a lower rate", "every=2"),
        ("gain", "Louder or quieter, by a factor", "gain=0.5"),
    ):
        yield genkit.TransformSpec(
            name=name,
            summary=summary,
            transform=f"{HERE}.transforms:{name.title()}",
            modality="audio",
            examples=(example,),
            undone=name == "gain",
        )


@genkit.hookimpl
def genkit_extractors():
    for name, modality, summary in (
        ("letters", "text", "Shares of letters in a text, and of first letters in its words"),
        ("bands", "audio", "Loudness of a sound in 16 bands, and its length"),
    ):
        yield genkit.ExtractorSpec(
            name=name,
            summary=summary,
            extractor=f"{HERE}.features:{name.title()}",
            modality=modality,
        )
