"""Where ``genkit generate`` writes: into a folder, a file, or a pipe."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from genkit.cli import output
from genkit.errors import UsageError
from genkit.report.forms import PRINTED

if TYPE_CHECKING:
    from genkit.report.refilling import Request
    from genkit.report.reviewed import Reviewed
    from genkit.report.samples import Samples

PIPE = Path("-")


@dataclass(frozen=True)
class Target:
    """What is written, and where to.

    Args:
        format_: one of ``Samples.formats()``.
        path: a folder, or a file that holds all items; ``PIPE`` for stdout.
        in_folder: whether the path is a folder.
    """

    format_: str
    path: Path
    in_folder: bool = False

    @property
    def to_stdout(self) -> bool:
        """Whether items are printed, so that nothing else may be."""
        return self.path == PIPE


def target_of(
    writer: Samples, format_: str | None, out: Path | None, usual: Path, n: int, *, as_json: bool
) -> Target:
    """Decide what is written where.

    Args:
        writer: knows the formats.
        format_: what was asked for.
        out: where to; ``-`` for stdout, or the name of a file that tells its format.
        usual: the folder if nothing was asked and items can't be printed.
        n: how many items there will be.
        as_json: whether stdout is for the result.

    Raises:
        UsageError: there is no such format, or it can't go where it should.
    """
    formats = writer.formats()
    ending = "" if out is None or out.is_dir() else out.suffix[1:].lower()
    named = ending if ending in formats and writer.in_one_file(ending) else ""
    chosen = format_ or named or formats[0]
    if chosen not in formats:
        raise UsageError(
            f"Expected --format {', '.join(formats)}; received {chosen!r}.",
            "They follow from the modality of what the model generates.",
        )
    from genkit.report.records import check_installed

    check_installed(chosen)
    whole = writer.in_one_file(chosen)
    if out == PIPE:
        _check_pipe(writer, chosen, n, whole=whole, as_json=as_json)
        return Target(chosen, PIPE)
    if out is None:
        printed = chosen in PRINTED and whole and not as_json
        return Target(chosen, PIPE if printed else usual, in_folder=not printed)
    if named and named != chosen:
        raise UsageError(f"Expected --out as a file of the format {chosen}; received {out}.")
    return Target(chosen, out, in_folder=not (named and whole))


def _check_pipe(writer: Samples, format_: str, n: int, *, whole: bool, as_json: bool) -> None:
    if as_json:
        raise UsageError("Expected --json or --out -, not both: each takes all of stdout.")
    if not whole and n > 1:
        able = ", ".join(each for each in writer.formats() if writer.in_one_file(each))
        raise UsageError(
            f"Expected a format of one file for --out -; {format_} has a file for each item.",
            f"Take --n 1, or --format {able}." if able else "Take --n 1.",
        )


def write(
    writer: Samples, reviewed: Iterable[Reviewed], target: Target, columns: int | None
) -> list[Path]:
    """Write items, all or, where something fails, none; a pipe has what was written until then.

    Args:
        writer: writes them.
        reviewed: items.
        target: what and where to.
        columns: of a grid.

    Returns:
        the files.
    """
    from genkit.files import staged

    if target.to_stdout:
        _print(writer, reviewed, target.format_, columns)
        return []
    folder = target.path if target.in_folder else target.path.parent
    with staged(folder) as place:
        if target.in_folder:
            files = writer.write(reviewed, target.format_, place, columns)
        else:
            files = [place / target.path.name]
            with files[0].open("wb") as out:
                writer.write_to(reviewed, target.format_, out, columns, place)
    return [folder / file.name for file in files]


def printed_alone(
    writer: Samples, target: Target, request: Request, reviewed: Iterable[Reviewed]
) -> bool:
    """Print one text with its own line breaks, as it is made where no reviewer must see it whole.

    Args:
        writer: knows who shows and reviews it.
        target: where it goes to.
        request: one item.
        reviewed: the same item, for reviewers, and from a model that makes it at once.

    Returns:
        whether it is text that is printed; when nobody reads any more, that is the end and no
        error.
    """
    from genkit.report.texts import TextRenderer

    shown = writer.renderer
    if not (isinstance(shown, TextRenderer) and target == Target(shown.overview, PIPE)):
        return False
    whole = (item for batch in reviewed for item in batch.kept()[writer.field])
    in_pieces = request.model.can_stream and not writer.review.has_reviewers
    with suppress(BrokenPipeError), output.taken_stdout() as out:
        shown.write_pieces(request.pieces() if in_pieces else whole, out)
    return True


def _print(
    writer: Samples, reviewed: Iterable[Reviewed], format_: str, columns: int | None
) -> None:
    """Write to stdout; when nobody reads any more, that is the end and no error."""
    with suppress(BrokenPipeError), output.taken_stdout() as out:
        if writer.in_one_file(format_):
            writer.write_to(reviewed, format_, out, columns)
            return
        with tempfile.TemporaryDirectory() as folder:
            for file in writer.write(reviewed, format_, Path(folder), columns):
                with file.open("rb") as stream:
                    shutil.copyfileobj(stream, out)
