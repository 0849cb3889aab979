"""A plugin of sound toys beside unsound ones: what each breaks stands in test_kit.py."""

import genkit

HERE = "tests.testing"
MODELS, PARTS, SETTINGS = (f"{HERE}.unsound_{x}" for x in ("models", "parts", "settings"))


def model(name, attribute, config="Sound", **changes):
    record = {
        "summary": "A toy",
        "model": attribute if ":" in attribute else f"{MODELS}:{attribute}",
        "config": config if ":" in config else f"{SETTINGS}:{config}",
        "accepts": ("image",),
        "capabilities": ("generate", "reconstruct", "encode", "interpolate"),
        **changes,
    }
    return genkit.ModelSpec(name=name, **record)


@genkit.hookimpl
def genkit_models():
    toy = "genkit.testing.toys:ToyModel"
    yield model("sound", toy, presets={"default": {"dataset": "sound-data"}})
    yield model("no-trainer", toy, trainer="no-such-trainer")
    yield model("bad-preset", toy, presets={"default": {"config": {"widht": 1}}})
    yield model("no-model", "NotAModel")
    yield model("changing", toy, "Changing")
    yield model("loose", toy, "Loose")
    yield model("silent", toy, "Silent")
    yield model("heavy", toy, f"{MODELS}:HeavyConfig")
    yield model("boastful", toy, capabilities=("generate", "recommend"))
    yield model(
        "known-to-fail",
        toy,
        "Silent",
        expected_failures={"config_explains_every_setting": "Nobody has written them yet"},
    )
    yield model("mended", toy, expected_failures={"losses_are_finite": "They once were not"})
    yield model("modest", toy, capabilities=("generate",))
    yield model("deaf", "Deaf", accepts=("image", "label"))
    anything = {"default": {"dataset": "sound-data"}}
    yield model("omnivorous", toy, accepts=(), presets=anything)
    for name in ("Refusing", "GrayOnly", "Surprised", "Infinite", "Blind", "OneSided", "Meddling",
                 "Capricious", "Drawing", "Hoarding", "Garish", "Stubborn", "Distorting",
                 "Sociable", "Straying", "Forgetful", "Partial", "Looking", "Revising",
                 "Swelling", "Credulous", "Gregarious", "Recompiling"):  # fmt: skip
        yield model(name.lower(), name)


@genkit.hookimpl
def genkit_datasets():
    for name in ("sound", "list", "beyond", "unseeded", "restless", "diced", "leaking", "secretive",
                 "choosy", "wordy"):  # fmt: skip
        yield genkit.DatasetSpec(
            name=f"{name}-data",
            summary="Toys",
            source=f"{PARTS}:open_{name}",
            config=f"{SETTINGS}:{'ChoosyData' if name == 'choosy' else 'SoundData'}",
            modality="image",
            splits=() if name == "secretive" else ("train", "test"),
            subset=("per_class", "subset_seed", "subset") if name == "choosy" else (),
        )


@genkit.hookimpl
def genkit_trainers():
    for name in (
        *("Lazy", "Meddling", "Capricious", "Infinite", "Hoarding", "Amnesiac", "Credulous"),
        *("Momentum", "Hiding", "Looking"),
    ):
        yield genkit.TrainerSpec(
            name=f"{name.lower()}-trainer", summary="A toy", trainer=f"{MODELS}:{name}Trainer"
        )


@genkit.hookimpl
def genkit_metrics():
    for name in ("Brightness", "Speechless", "Inverted", "Wrong", "Dicing", "Careless", "Hoarder",
                 "Forgetting"):  # fmt: skip
        yield genkit.MetricSpec(
            name=name.lower(),
            summary="A toy",
            metric=f"{PARTS}:{name}",
            direction="max",
            modality="image",
            known=f"{PARTS}:known",
        )


@genkit.hookimpl
def genkit_extractors():
    for name in ("Mean", "Wide", "Social", "Drifting", "Nearsighted"):
        yield genkit.ExtractorSpec(
            name=name.lower(), summary="A toy", extractor=f"{PARTS}:{name}", modality="image"
        )


@genkit.hookimpl
def genkit_callbacks():
    for name in ("Counting", "Raising", "Littering", "Losing"):
        yield genkit.CallbackSpec(
            name=name.lower(),
            summary="A toy",
            callback=f"{PARTS}:{name}",
            writes={} if name == "Raising" else {"path": "count.txt"},
        )


@genkit.hookimpl
def genkit_transforms():
    for name in ("Doubling", "Growing", "Leaving"):
        yield genkit.TransformSpec(
            name=name.lower(),
            summary="A toy",
            transform=f"{PARTS}:{name}",
            modality="image",
            examples=(name.lower(),),
            undone=True,
        )


@genkit.hookimpl
def genkit_renderers():
    for name in ("Framing", "Fading", "Flattening"):
        yield genkit.RendererSpec(
            name=name.lower(), summary="A toy", renderer=f"{PARTS}:{name}", modality="image"
        )
