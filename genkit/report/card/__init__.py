"""The model card: what a trained model is, where it comes from, and what is known of it.

It is made from the files of the run alone, so that it can be renewed when more has been measured,
and needs no backend. What was not measured it says, with the command that would measure it.
"""

from __future__ import annotations

from pathlib import Path

from genkit.errors import RunError
from genkit.files import write_text
from genkit.report.card import sections
from genkit.report.card.compute import compute
from genkit.report.card.facts import Facts
from genkit.report.card.header import header
from genkit.report.card.markdown import fact_table, plain
from genkit.runs.names import is_export
from genkit.runs.run import Run


def renew_card(run: Path) -> None:
    """Write the model card of a run anew, from what its files say now.

    A run without an exported model gets none.

    Args:
        run: the run directory.

    Raises:
        RunError: it is no run, or its files are damaged.
    """
    folder = Run.open(run).export
    if is_export(folder):
        write_text(folder / "README.md", model_card(run))


def model_card(run: Path) -> str:
    """Return the model card of a run: Markdown, with a header that the Hugging Face Hub reads.

    Args:
        run: the run directory, with an exported model in it.

    Raises:
        RunError: it is no run, or its files are damaged.
    """
    try:
        return _card(Facts.of(Run.open(run)))
    except (TypeError, ValueError, AttributeError, KeyError, ArithmeticError) as error:
        raise RunError(f"A file of the run {run} is damaged: {error!r}.") from error


def _card(facts: Facts) -> str:
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
    text = f"{top}\n# {title}\n\n{summary}{facts.size:,} parameters and statistics. Trained with "
    text += f"GenKit {plain(facts.environment.get('genkit', '?'))} on {plan.backend}.\n"
    return text + "".join(f"\n## {name}\n\n{body}\n" for name, body in bodies.items())
