"""Settings and options; this module is free of Keras, so that help and errors stay fast."""

from pydantic import Field

import genkit


class MorseConfig(genkit.Config):
    """Settings of the data set."""

    signals: int = Field(300, ge=1, description="How many signals")
    words: tuple[str, ...] = Field(("hi", "ok", "sos"), description="Words that are sent")
    noise: float = Field(0.05, ge=0, le=0.3, description="Standard deviation of the noise")
    seed: int = Field(0, ge=0, description="Seed of the signals")


class MorseMemoryConfig(genkit.Config):
    """Settings of the model."""

    remember: int = Field(100, ge=1, description="How many signals it remembers")


class GenerateOptions(genkit.Config):
    """Flags of genkit generate."""

    loudness: float = Field(1.0, gt=0, le=1, description="Strength of the signal")


class TranscribeOptions(genkit.Config):
    """Flags of genkit transcribe."""

    threshold: float = Field(0.5, gt=0, lt=1, description="Strength that counts as on")
