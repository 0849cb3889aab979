"""What the entry point names: light, because every genkit command imports it."""

import genkit


@genkit.hookimpl
def genkit_datasets():
    """Register the data set; its modality is one that GenKit has never heard of."""
    yield genkit.DatasetSpec(
        name="morse",
        summary="Words in Morse code, as noisy signals",
        source="genkit_morse.data:open_morse",
        config="genkit_morse.settings:MorseConfig",
        modality="morse",
        licence="made by the program",
    )


@genkit.hookimpl
def genkit_models():
    """Register the model, what it can do, and the flags it takes for that."""
    yield genkit.ModelSpec(
        name="morse-memory",
        summary="Remembers signals, and sends them again",
        model="genkit_morse.model:MorseMemory",
        config="genkit_morse.settings:MorseMemoryConfig",
        accepts=("morse",),
        capabilities=("generate", "transcribe"),
        options={
            "generate": "genkit_morse.settings:GenerateOptions",
            "transcribe": "genkit_morse.settings:TranscribeOptions",
        },
        trainer="closed-form",
        presets={"default": {"dataset": "morse"}},
    )


@genkit.hookimpl
def genkit_commands():
    """Register the verb: genkit transcribe RUN."""
    yield genkit.CommandSpec(
        name="transcribe",
        summary="Write down what generated signals say",
        command="genkit_morse.command:transcribe",
        capability="transcribe",
    )


@genkit.hookimpl
def genkit_renderers():
    """Register how a signal is shown."""
    yield genkit.RendererSpec(
        name="morse",
        summary="Signals as text, a line each",
        renderer="genkit_morse.show:MorseRenderer",
        modality="morse",
    )


@genkit.hookimpl
def genkit_reviewers():
    """Register what must not be sent."""
    yield genkit.ReviewerSpec(
        name="no-false-alarm",
        summary="Refuses signals that call for help",
        reviewer="genkit_morse.review:NoFalseAlarm",
        modality="morse",
    )
