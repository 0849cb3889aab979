"""Captioned pictures for a verb: those of a run, or of a data set by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import genkit
from genkit.errors import UsageError
from genkit_text2image.configs import EmojiConfig, FolderConfig, ShapesConfig
from genkit_text2image.folder import open_emoji, open_folder
from genkit_text2image.shapes import open_shapes
from genkit_text2image.source import CaptionedSource

_OPENERS: dict[str, tuple[type[genkit.Config], Any]] = {
    "captioned-folder": (FolderConfig, open_folder),
    "captioned-shapes": (ShapesConfig, open_shapes),
    "emoji": (EmojiConfig, open_emoji),
}


def open_of_run(run: Path, split: str) -> CaptionedSource:
    """Open the pictures of a run's own data set, of another split.

    Raises:
        UsageError: its data has no captions.
    """
    plan = genkit.open_run(run).plan
    return _opened(plan.dataset, {**plan.data, "split": split})


def open_captioned(dataset: str, path: Path | None, split: str) -> CaptionedSource:
    """Open one of this plugin's data sets, by its usual settings.

    Args:
        dataset: its name.
        path: of a folder, where it takes one.
        split: which pictures.

    Raises:
        UsageError: another data set, or a folder that is missing.
    """
    if dataset == "captioned-folder" and path is None:
        raise UsageError("Expected --path, the folder of captioned-folder; received none.")
    return _opened(dataset, {"split": split, **({"path": path} if path else {})})


def _opened(dataset: str, settings: dict[str, Any]) -> CaptionedSource:
    name = dataset.rpartition("/")[2]
    if name not in _OPENERS:
        raise UsageError(
            f"Expected pictures with captions; {dataset} has none that this verb reads.",
            f"Choose one of: {', '.join(_OPENERS)}",
        )
    config, opener = _OPENERS[name]
    try:
        parsed = config(**settings)
    except ValueError as error:
        told = str(error).splitlines()
        raise UsageError(f"Expected settings of {name}; {' '.join(told[1:3])}.") from error
    source: CaptionedSource = opener(parsed)
    return source
