"""The plugins of GenKit's own repository: one that is asked for and isn't installed is a hint."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution

from genkit.errors import UnknownNameError


@dataclass(frozen=True)
class RepositoryPlugin:
    """A distribution in the folder ``plugins`` of GenKit's repository.

    Args:
        distribution: its name.
        summary: what it is for, one line.
        brings: names by kind, as ``Registry.names`` lists them where it is installed.
        needs: other plugins of the repository whose public names it uses.
    """

    distribution: str
    summary: str
    brings: Mapping[str, tuple[str, ...]]
    needs: tuple[str, ...] = ()

    @property
    def install_command(self) -> str:
        """The command that installs it, from a checkout: it is on no package index."""
        folders = (f"./plugins/{name}" for name in (*self.needs, self.distribution))
        return " ".join(["pip install", *folders])

    def is_installed(self) -> bool:
        """Whether the distribution is there, however its plugin fares."""
        try:
            distribution(self.distribution)
        except PackageNotFoundError:
            return False
        return True


REPOSITORY = (
    RepositoryPlugin(
        "genkit-keras-dp",
        "Differentially private training of any model",
        {"trainers": ("dp",)},
    ),
    RepositoryPlugin(
        "genkit-keras-language",
        "Language: tokenizers, your own text as data, a small GPT",
        {
            "models": ("gpt",),
            "datasets": ("prompts", "text", "tinyshakespeare"),
            "metrics": ("copies", "distinct", "self-bleu"),
            "commands": ("export-weights", "import-weights", "score"),
        },
    ),
    RepositoryPlugin(
        "genkit-keras-multimodal",
        "Several modalities: data sets joined by label, any fields from any others",
        {
            "models": ("jmvae", "mmvae", "mopoe", "mvae"),
            "datasets": ("fsdd", "paired"),
            "metrics": ("bounds", "coherence"),
            "commands": ("translate",),
            "renderers": ("spectrogram",),
        },
    ),
    RepositoryPlugin(
        "genkit-keras-points",
        "Points of a plane: toy densities, models that learn them in seconds, scatter plots",
        {
            "models": ("points-flow", "points-gan", "points-vae"),
            "datasets": ("points", "points-csv"),
            "metrics": ("energy-distance", "log-density", "mode-coverage"),
            "commands": ("density",),
            "renderers": ("scatter",),
            "reviewers": ("points-in-range",),
        },
    ),
    RepositoryPlugin(
        "genkit-keras-ray",
        "Workers of one training on a Ray cluster",
        {"launchers": ("ray",)},
    ),
    RepositoryPlugin(
        "genkit-keras-recsys",
        "Recommenders, data of interactions, full rankings",
        {
            "models": (
                "bpr", "cfgan", "ease", "item-knn", "mult-dae", "mult-vae", "popularity", "recvae",
                "sasrec",
            ),
            "datasets": ("interactions", "ml-100k", "ml-1m", "ml-20m", "ml-latest-small"),
            "metrics": ("ranking",),
            "commands": ("compare-recommenders", "recommend"),
        },
    ),
    RepositoryPlugin(
        "genkit-keras-style",
        "StyleGAN2: pictures by style, from little data too",
        {
            "models": ("stylegan2",),
            "metrics": ("smoothness",),
            "commands": ("project", "styles"),
        },
    ),
    RepositoryPlugin(
        "genkit-keras-tabular",
        "Tables: rows of mixed columns by condition, gaps filled, and what judges them",
        {
            "models": (
                "ctgan", "tab-ar", "tab-cart", "tab-copula", "tab-ddpm", "tab-marginals",
                "tab-mixture", "tab-smote", "tvae",
            ),
            "datasets": ("customers", "table"),
            "metrics": (
                "attacks", "broken-rules", "fidelity", "membership", "two-sample", "usefulness",
                "usefulness-by-group",
            ),
            "commands": ("impute", "join", "link", "table"),
            "openers": ("table-arrow", "table-pandas", "table-polars"),
            "learners": ("table-trees",),
        },
    ),
    RepositoryPlugin(
        "genkit-keras-text2image",
        "Pictures from words: dalle and text-flow on captioned pictures, clip that judges",
        {
            "models": ("clip", "dalle", "text-flow"),
            "datasets": ("captioned-folder", "captioned-shapes", "emoji"),
            "metrics": ("heart-hue", "retrieval", "shape-attributes"),
            "commands": ("judge", "search"),
        },
        needs=("genkit-keras-language",),
    ),
)  # fmt: skip


def names_in_repository(kind: str) -> list[str]:
    """List the names of a kind that the plugins of the repository bring."""
    return [name for plugin in REPOSITORY for name in plugin.brings.get(kind, ())]


def missing_plugin(name: str, kinds: Collection[str]) -> UnknownNameError | None:
    """Return the error for a name that was not found, where a plugin of the repository brings it.

    Args:
        name: as a person types it, alone or as ``distribution/name``.
        kinds: what it may be one of: ``"models"``, ``"commands"``, ...

    Returns:
        the error, with what installs the plugin; None if no plugin of the repository brings it.
    """
    for plugin in REPOSITORY:
        names = [each for kind in kinds for each in plugin.brings.get(kind, ())]
        if name not in names and name not in [f"{plugin.distribution}/{each}" for each in names]:
            continue
        state, hint = "is not installed", install_hint(plugin.distribution)
        if plugin.is_installed():
            state, hint = "is left out or failed", "See: genkit doctor, GENKIT_DISABLE_PLUGINS"
        return UnknownNameError(
            f"{name!r} comes with the plugin {plugin.distribution}, which {state}.", hint
        )
    return None


def install_hint(name: str) -> str:
    """Return what installs a distribution, as the hint of an error."""
    for plugin in REPOSITORY:
        if plugin.distribution == name:
            return f"Install it from a checkout of GenKit: {plugin.install_command}"
    return f"Install it with: pip install {name}"
