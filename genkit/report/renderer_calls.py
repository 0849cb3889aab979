"""Calls of renderers, which may be a plugin's: what fails is told with whose it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from genkit.errors import GenkitError, PluginError

if TYPE_CHECKING:
    from genkit.report.rendering import Renderer


def call_renderer(renderer: Renderer, method: Callable[..., Any], *arguments: Any) -> Any:
    """Call a method of a renderer.

    Raises:
        PluginError: it failed, other than by an error for people or one of the system.
    """
    try:
        return method(*arguments)
    except (GenkitError, OSError):
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
        raise PluginError(
            f"The renderer {type(renderer).__name__} of {renderer.field.modality} failed: {reason}",
            "See whose it is with: genkit list renderers",
        ) from error
