"""The command line: one thin file a command. Nothing heavy is imported before it is needed."""

from __future__ import annotations

import io
import os
import sys
import warnings
from collections.abc import Callable
from contextlib import redirect_stderr, suppress
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from genkit.cli import (
    augment,
    check,
    compare,
    doctor,
    encode,
    evaluate,
    generate,
    info,
    interpolate,
    listing,
    new,
    output,
    reconstruct,
    report,
    resume,
    run,
    runs,
    streams,
)
from genkit.cli.help_text import FlowingCommand
from genkit.cli.plugin_commands import Verbs, Words, for_capability
from genkit.cli.typer_inside import complete_plainly
from genkit.errors import GenkitError
from genkit.plan import activation

complete_plainly()

_INTERRUPTED = 130
_COMPLETING = "_GENKIT_COMPLETE"
"""The variable in which a shell asks for completions."""

app = typer.Typer(
    name="genkit",
    help="Train generative models written once, on TensorFlow, PyTorch or JAX.",
    epilog="First steps: genkit run vae --dataset digits, then genkit generate latest. What else "
    "there is: genkit list.",
    cls=Verbs,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command("run")(run.run)
app.command("resume")(resume.resume)
app.command("generate", cls=for_capability("generate"))(generate.generate)
app.command("reconstruct")(reconstruct.reconstruct)
app.command("encode")(encode.encode)
app.command("interpolate")(interpolate.interpolate)
app.command("compare")(compare.compare)
app.command("evaluate")(evaluate.evaluate)
app.command("augment")(augment.augment)
app.command("report")(report.report)
app.command("list")(listing.list_specs)
app.command("info")(info.info)
app.command("doctor")(doctor.doctor)
app.command("check")(check.check)
app.add_typer(runs.app, name="runs", cls=Words)
app.add_typer(new.app, name="new", cls=Words)
for _command in (
    *app.registered_commands,
    *new.app.registered_commands,
    *runs.app.registered_commands,
):
    if _command.cls is TyperCommand:
        _command.cls = FlowingCommand


def _print_version(wanted: bool) -> None:
    if wanted:
        from genkit.plugins.entry_points import own_version

        output.say(f"genkit {own_version()}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of an error; works on any command.")
    ] = False,
) -> None:
    """Train generative models written once, on TensorFlow, PyTorch or JAX."""


def main() -> None:
    """Run the command line; the entry point of ``genkit``."""
    if _COMPLETING in os.environ:
        sys.exit(_complete())
    streams.prepare()
    activation.start_lean()
    arguments = sys.argv[1:]
    debug = "--debug" in arguments
    arguments = [argument for argument in arguments if argument != "--debug"]
    as_json = "--json" in arguments
    if as_json:
        output.reserve_stdout()
    warnings.showwarning = _showing_once()
    try:
        code = app(arguments, prog_name="genkit", standalone_mode=False)
        if code == _INTERRUPTED and not output.has_emitted():
            code = _report(KeyboardInterrupt(), as_json)
    except Exception as error:
        if debug:
            raise
        code = _report(error, as_json)
    except KeyboardInterrupt as interrupt:
        code = _report(interrupt, as_json)
    try:
        output.finish()
    except OSError as error:
        code = code or _report(error, as_json)
    sys.exit(code if isinstance(code, int) else 0)


def _complete() -> int:
    """Answer a shell that asks how a word may go on; faults offer nothing, and show nothing."""
    os.environ["COLUMNS"] = "1000"  # an offer is a line: none may be wrapped
    with redirect_stderr(io.StringIO()):
        try:
            app(prog_name="genkit", standalone_mode=False)
        except Exception:  # noqa: BLE001 - what was typed so far may be anything
            return 1
    return 0


def _command_of(error: BaseException) -> str:
    """Return the command that the parser was at, without its arguments: ``genkit runs rm``."""
    names: list[str] = []
    context = getattr(error, "ctx", None)
    while context is not None:
        names.insert(0, context.info_name)
        context = context.parent
    return " ".join(names) or "genkit"


def _report(error: BaseException, as_json: bool) -> int:
    """Print an error in one line, or as one object, and return the exit code."""
    if isinstance(error, GenkitError):
        code, answer = error.exit_code, error.to_dict()
    elif hasattr(error, "format_message"):  # the command line parser's own
        code = int(getattr(error, "exit_code", 2))
        answer = {
            "error": "UsageError",
            "message": str(error.format_message()),
            "hint": _hint_of(error),
        }
        if type(error).__name__ == "NoArgsIsHelpError":  # a wide help was printed by Typer
            output.say(answer["message"])
            return code
    elif isinstance(error, KeyboardInterrupt):
        code = _INTERRUPTED
        answer = {
            "error": "Interrupted",
            "message": "Interrupted.",
            "hint": "See what was kept with: genkit runs",
        }
    elif isinstance(error, OSError):
        place = f" ({error.filename})" if error.filename else ""
        answer = {
            "error": "RunError",
            "message": f"The system refused: {error.strerror or error}{place}.",
            "hint": "Check the space left and the permissions of the folder.",
        }
        code = 1
    else:
        answer = {
            "error": type(error).__name__,
            "message": f"{type(error).__name__}: {' '.join(str(error).split())}",
            "hint": "Run it again with --debug to see where.",
        }
        code = 1
    told = False
    if as_json:
        with suppress(OSError):
            output.emit(answer, as_json, lambda: None)
            told = True
    if not told:
        output.fault("error", answer["message"], answer["hint"])
    return code


def _hint_of(error: Any) -> str:
    """Return what to do about a fault of the words themselves."""
    context: Any = getattr(error, "ctx", None)
    params = context.command.params if context is not None else ()
    flags = {flag for param in params for flag in param.opts}
    option = str(getattr(error, "option_name", "")).lstrip("-").replace("-", "_")
    setting = f"A setting of the model is given as --set {option}=VALUE. "
    told = setting if option and "--set" in flags else ""
    return f"{told}See the flags with: {_command_of(error)} --help"


def _showing_once() -> Callable[..., None]:
    """Return what shows warnings: each once, however often the data is opened."""
    shown: set[str] = set()

    def show(message: Warning | str, *_: object, **__: object) -> None:
        text = " ".join(str(message).split())
        if text not in shown:
            shown.add(text)
            output.fault("warning", text)

    return show
