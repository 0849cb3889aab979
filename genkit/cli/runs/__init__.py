"""``genkit runs``: what is in the runs folder, and what can be done with it."""

from __future__ import annotations

import typer

from genkit.cli.runs.binning import bin_, restore, rm
from genkit.cli.runs.diff import diff
from genkit.cli.runs.listing import runs
from genkit.cli.runs.naming import note, rename

app = typer.Typer(invoke_without_command=True, pretty_exceptions_enable=False)
app.callback()(runs)
app.command("rename")(rename)
app.command("note")(note)
app.command("diff")(diff)
app.command("rm")(rm)
app.command("bin")(bin_)
app.command("restore")(restore)
