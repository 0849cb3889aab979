"""Each option that takes a value: completed, or known to take what nobody can know beforehand."""

from typing import Literal

import pytest
import typer
from typer.main import get_command

from genkit.builtin.datasets.configs import ImageDataConfig
from genkit.cli import app
from genkit.cli.plugin_commands import _flags
from genkit.data import parse_transforms
from genkit.plugins.config import Config
from genkit.plugins.registry import installed

pytestmark = pytest.mark.once

FREE = {
    "--name": "a new name",
    "--time": "a time",
    "--timeout": "a time",
    "--ratios": "numbers",
    "--prompt": "text of one's own",
    "--keep-best": "a loss, which is known when the model has made a step",
    "runs rename name": "a new name",
    "runs note text": "anything",
    "new plugin name": "a new name",
}
"""Text that isn't completed, and what it is."""


def parameters(command=None, path=()):
    """Each parameter of each command, by its words: those that take text."""
    command = command or get_command(app)
    context = typer.Context(command)
    for name in getattr(command, "commands", {}):
        yield from parameters(command.get_command(context, name), (*path, name))
    for parameter in command.params:
        if parameter.type.name in {"str", "text", "path"} and not getattr(
            parameter, "is_flag", False
        ):
            yield " ".join((*path, parameter.opts[0])), parameter


def test_all_text_is_completed_or_known_to_be_free():
    """Shells complete paths themselves, where GenKit offers nothing."""
    found = dict(parameters())
    assert len(found) > 50
    forgotten = [
        words
        for words, parameter in found.items()
        if parameter.type.name != "path"
        and not parameter._custom_shell_complete
        and words not in FREE
        and parameter.opts[0] not in FREE
    ]
    assert forgotten == []


def test_what_is_free_is_there():
    words = {name for words, each in parameters() for name in (words, each.opts[0])}
    assert set(FREE) <= words


class Options(Config):
    """What a model may take for a capability."""

    sampler: Literal["euler", "heun"] = "euler"


def test_an_option_of_a_model_offers_its_choices():
    (flag,) = _flags(Options, "mine", set())
    offers = flag.shell_complete(typer.Context(get_command(app)), "h")
    assert [offer.value for offer in offers] == ["heun"]


def test_the_transforms_that_are_offered_are_all_there_are():
    examples = ImageDataConfig.model_fields["transforms"].examples
    assert {each.partition("=")[0] for each in examples} == set(installed().names("transforms"))
    parse_transforms(examples)
