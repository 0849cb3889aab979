"""The model card: what a trained model is, where it comes from, and what is known of it.

It is made from the files of the run alone, so that it can be renewed when more has been measured,
and needs no backend. What was not measured it says, with the command that would measure it.
"""

from __future__ import annotations

from pathlib import Path

from genkit.errors import RunError
from genkit.files import write_bytes, write_text
from genkit.report.card import sections
from genkit.report.card.compute import compute
from genkit.report.card.facts import Facts
from genkit.report.card.header import header
from genkit.report.card.markdown import fact_table, plain
from genkit.runs.names import is_export
from genkit.runs.run import Run
from genkit.runs.saved_model import stays_in_run

PICTURE = "samples.png"
"""The file beside the card that it shows: samples of the run's last step."""


def renew_card(run: Path) -> None:
    """Write the model card of a run anew, from what its files say now, and the samples it shows.

    A run without an exported model gets none.

    Args:
        run: the run directory.

    Raises:
        RunError: it is no run, or its files are damaged.
    """
    opened = Run.open(run)
    if not is_export(opened.export) and not stays_in_run(opened.export):
        return
    try:
        facts = Facts.of(opened)
        text = _card(facts)
    except (TypeError, ValueError, AttributeError, KeyError, ArithmeticError) as error:
        raise RunError(f"A file of the run {run} is damaged: {error!r}.") from error
    _renew_picture(opened.export / PICTURE, facts.picture)
    write_text(opened.export / "README.md", text)


def _renew_picture(file: Path, picture: Path | None) -> None:
    """Copy the samples that the card shows beside it; older weights' don't stay."""
    if picture is None:
        file.unlink(missing_ok=True)
    else:
        write_bytes(file, picture.read_bytes())


def _card(facts: Facts) -> str:
    """Return the card: Markdown, with a header that the Hugging Face Hub reads."""
    plan = facts.plan
    bodies = {
        "Data and licence": sections.data(facts),
        "Intended use": sections.intended_use(facts),
        **({"Training": fact_table(facts.statement)} if facts.statement else {}),
        "Limits": sections.limits(facts),
        "Evaluation": sections.evaluation(facts),
        "Memorisation": sections.memorisation(facts),
        "Compute": compute(facts),
        "Use": sections.use(facts),
        "Settings": sections.settings(plan),
        "References": "\n".join(f"- {plain(r)}" for r in facts.model.references)
        if facts.model and facts.model.references
        else "The model names none.",
    }
    top = header(plan, facts.model, facts.dataset, facts.figures if facts.is_current else ())
    summary = f"{plain(facts.model.summary)}. " if facts.model else ""
    title = f"{plain(plan.model)}, trained on {plain(plan.dataset)}"
    weights = f"{facts.size:,} parameters and statistics"
    weights = "Its weights are items of the data" if facts.keeps_items else weights
    text = f"{top}\n# {title}\n\n{summary}{weights}. Trained with "
    text += f"GenKit {plain(facts.environment.get('genkit', '?'))} on {plan.backend}.\n"
    if facts.picture is not None:
        text += f"\n![Samples from noise after step {facts.last['step']:,}]({PICTURE})\n"
    return text + "".join(f"\n## {name}\n\n{body}\n" for name, body in bodies.items())
