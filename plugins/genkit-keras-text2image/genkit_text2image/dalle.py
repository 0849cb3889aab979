"""The model ``dalle``: pictures as codes, and codes from captions (Ramesh et al. 2021)."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
from genkit_language import optimizer_for, rate_factor
from keras import ops

import genkit
from genkit_text2image.configs import DalleConfig
from genkit_text2image.painter import Painter
from genkit_text2image.picture_codes import PictureCodes
from genkit_text2image.picture_files import read_picture
from genkit_text2image.prompted import PROMPT, Prompted, prompts_of
from genkit_text2image.reranking import Candidates
from genkit_text2image.source import caption_field
from genkit_text2image.two_stages import rate_of_stage, warn_of_one_stage
from genkit_text2image.words import NOTHING

_CAPTION_SHARE = 1 / 8  # of the loss: section 2.2


class Dalle(Prompted, genkit.Autoencoder):
    """Two stages in one run: pictures become codes, then a transformer learns them by caption.

    The first steps are stage one, a number of them that is a setting: a run can be resumed in
    either stage, and made longer. In stage two codes don't change any more.

    Args:
        config: its settings.
        schema: data of this plugin's data sets.

    Attributes:
        first_codes: those that pictures in files begin with, by digest.

    Raises:
        DataError: data without captions in numbers of words, or pictures that can't be halved.
    """

    config: DalleConfig
    schema: genkit.Schema
    generation_batch = 16
    conditions = (PROMPT,)

    def __init__(self, config: DalleConfig, schema: genkit.Schema) -> None:
        super().__init__(config, schema)
        self.image, self.caption = schema.name_of("image"), caption_field(schema)
        self.pictures = PictureCodes(config, schema)
        limits = schema[self.caption].range
        assert limits is not None, "a field with a vocabulary has a range"
        self.painter = Painter(config, int(limits[1]) + 1, self.longest, self.pictures.count)
        self.painting = self.painter.network  # Keras finds weights in attributes of the model
        self.encoder, self.decoder, self.quantizer = self.pictures.networks
        self.first_codes: dict[str, np.ndarray] = {}
        adam = keras.optimizers.Adam(config.picture_learning_rate)
        self.add_optimizer("pictures", adam, *self.pictures.networks)
        self.add_optimizer(
            "painter", optimizer_for(self.painter.settings, self.painting), self.painting
        )

    def schedule(self, step: int, total: float = math.inf) -> dict[str, Any]:
        first = self.config.first_stage
        warn_of_one_stage(step, total, first)
        softness = self.pictures.temperature(step / first)
        return {"learns_pictures": step < first, "softness": softness}

    def learning_rate_factors(self, step: int, total: float) -> dict[str, float]:
        first = self.config.first_stage
        if step >= first:
            return {"painter": rate_factor(self.painter.settings, step - first, total - first)}
        return {"pictures": rate_of_stage(step, first)}

    def training_noise(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        noise = rng.random(self.pictures.noise_shape(n), dtype="float32")
        return {"lottery": noise, "hide": rng.random(n, dtype="float32")}

    def training_step(self, batch: Any, minimize: Callable[..., Any]) -> dict[str, Any]:
        if batch["learns_pictures"]:
            loss, logs = minimize("pictures", self.picture_loss, batch)
            return {"picture_loss": loss, **logs}
        codes = ops.stop_gradient(self.pictures.codes_of(batch[self.image]))
        _, logs = minimize("painter", self.painter_loss, codes, batch)
        return logs

    def picture_loss(self, batch: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """Return the loss of stage one; see ``PictureCodes``."""
        return self.pictures.loss(batch[self.image], batch["lottery"], batch["softness"])

    def painter_loss(self, codes: Any, batch: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """Return the loss of stage two, and the surprise of words and codes in nats."""
        hidden = batch["hide"][:, None] < self.config.caption_dropout
        caption = ops.where(hidden, NOTHING, batch[self.caption])
        word, code = self.painter.surprise(caption, codes, training=True)
        loss = _CAPTION_SHARE * word + (1 - _CAPTION_SHARE) * code
        return loss, {"caption_loss": word, "code_loss": code}

    def validation_step(self, batch: Any) -> dict[str, Any]:
        if batch["learns_pictures"]:
            return super().validation_step(batch)
        codes = self.pictures.codes_of(batch[self.image])
        word, code = self.painter.surprise(batch[self.caption], codes, training=False)
        return {"caption_loss": word, "code_loss": code}

    def noise(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        return {"uniform": rng.random((n, self.pictures.count), dtype="float32")}

    def decode(self, **inputs: Any) -> Any:
        return self.pictures.pictures_of(self.draw_codes(**inputs))

    def draw_codes(
        self,
        uniform: Any,
        prompt: Any,
        guidance: Any = None,
        image: str | None = None,
        **asked: Any,
    ) -> Any:
        """Draw the codes of pictures of prompts, int32 ``(batch, codes)``.

        Args:
            uniform: numbers from 0 to 1, ``(batch, codes)``.
            prompt: int32 ``(batch, longest)``.
            guidance: how far prompts push; the setting where it is left out.
            image: digest of the codes to begin with.
            **asked: ``temperature``, ``top_k`` and ``top_p``.
        """
        pushed = self.config.guidance if guidance is None else guidance
        kinds = {"top_k": "int32"}
        tensors = {
            name: ops.convert_to_tensor(value, kinds.get(name, "float32"))
            for name, value in {"temperature": 1.0, **asked}.items()
        }
        known = self.first_codes[image] if image is not None else None
        return self.painter.paint(prompt, uniform, pushed, tensors, known)

    def parse_options(self, capability: str, options: Mapping[str, Any]) -> dict[str, Any]:
        """Check options; a picture to complete becomes the digest of its first codes.

        ``decode`` is compiled for the codes, not for the name they came by; of candidates it knows
        nothing.
        """
        parsed = super().parse_options(capability, options)
        for name in ("clip", "candidates"):
            parsed.pop(name, None)
        keep = parsed.pop("keep", None)
        if "image" in parsed:
            codes = self._first_codes(Path(parsed["image"]), keep)
            parsed["image"] = hashlib.sha256(codes.tobytes()).hexdigest()
            self.first_codes[parsed["image"]] = codes
        return parsed

    def _first_codes(self, file: Path, keep: float) -> np.ndarray:
        """Return the codes of the upper rows of a picture in a file, int32."""
        field = self.schema[self.image]
        side, _, channels = field.shape
        low, high = self.pictures.limits
        pixels = read_picture(file, side, "L" if channels == 1 else "RGB") / np.float32(255)
        codes = self.encode((pixels * (high - low) + low)[None])
        rows = max(1, round(keep * self.pictures.grid[0]))
        return codes.reshape(self.pictures.grid)[:rows].reshape(-1)

    def generate_items(
        self,
        n: int,
        seed: int = 0,
        label: Any = None,
        *,
        given: Mapping[str, Any] | None = None,
        begin: int = 0,
        **options: Any,
    ) -> Iterator[dict[str, np.ndarray]]:
        """Generate items; with ``clip`` that of several candidates which is nearest to its prompt.

        Candidates of item ``i`` are items ``i * candidates`` and on of a call without ``clip``.
        """
        asked = super().parse_options("generate", options)
        if "clip" not in asked:
            return super().generate_items(n, seed, label, given=given, begin=begin, **options)
        choice = Candidates(genkit.load(asked["clip"]), asked["candidates"])
        given = choice.for_each(given)
        first, last = begin * choice.each, n * choice.each
        batches = super().generate_items(last, seed, label, given=given, begin=first, **options)
        prompts = [self.text_of(value) for value in prompts_of(given, last)[first :: choice.each]]
        return choice.best(batches, prompts, self.generation_batch)

    def to_latent(self, items: Any, label: Any = None) -> Any:  # noqa: ARG002
        return self.pictures.codes_of(items)

    def from_latent(self, latent: Any, label: Any = None) -> Any:  # noqa: ARG002
        return self.pictures.pictures_of(latent)
