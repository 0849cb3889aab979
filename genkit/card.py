"""The model card: what a trained model is, where it comes from, and what is known of it.

It is made from the files of the run alone, so that it can be renewed when more has been measured,
and needs no backend. What was not measured it says, with the command that would measure it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genkit.card_header import header
from genkit.errors import GenkitError, RunError
from genkit.evaluation.figure import Figure
from genkit.files import read_json, write_text
from genkit.plan import Plan
from genkit.registry import installed
from genkit.runs import Run
from genkit.specs import DatasetSpec, ModelSpec

WATTS_A_THREAD = (2.0, 15.0)
"""Electrical power of one busy thread: from a server's processor to a desktop's at full boost."""
WATTS_AN_ACCELERATOR = (75.0, 700.0)
"""From what a slot alone can feed to the largest boards of data centres."""
_OF_TRAINING = "training_fingerprint"
"""On the card of a figure that was measured on training items."""
_MEMORISATION = ("copies", "near-copies", "memorisation", "membership-inference")
_MARKDOWN = frozenset("\\`*_[]<>|&#")


def renew_card(run: Path) -> None:
    """Write the model card of a run anew, from what its files say now.

    A run without an exported model gets none.

    Args:
        run: the run directory.

    Raises:
        RunError: it is no run, or its files are damaged.
    """
    if (run / "model" / "config.json").is_file():
        write_text(run / "model" / "README.md", model_card(run))


def model_card(run: Path) -> str:
    """Give the model card of a run: Markdown, with a header that the Hugging Face Hub reads.

    Args:
        run: the run directory, with an exported model in it.

    Raises:
        RunError: it is no run, or its files are damaged.
    """
    try:
        return _card(_Facts.of(Run.open(run)))
    except (TypeError, ValueError, AttributeError, KeyError, ArithmeticError) as error:
        raise RunError(f"A file of the run {run} is damaged: {error!r}.") from error


def _card(facts: _Facts) -> str:
    plan = facts.plan
    sections = {
        "Data and licence": _data(facts),
        "Intended use": _intended_use(facts),
        **({"Training": _rows(facts.statement)} if facts.statement else {}),
        "Limits": _limits(facts),
        "Evaluation": _evaluation(facts),
        "Memorisation": _memorisation(facts),
        "Compute": _compute(facts),
        "Use": _USE,
        "Settings": _settings(plan),
        "References": "\n".join(f"- {_plain(r)}" for r in facts.model.references)
        if facts.model and facts.model.references
        else "The model names none.",
    }
    top = header(plan, facts.model, facts.dataset, facts.figures if facts.is_current else ())
    summary = f"{_plain(facts.model.summary)}. " if facts.model else ""
    title = f"{_plain(plan.model)}, trained on {_plain(plan.dataset)}"
    text = f"{top}\n# {title}\n\n{summary}{facts.size:,} parameters and statistics. Trained with "
    text += f"GenKit {_plain(facts.environment.get('genkit', '?'))} on {plan.backend}.\n"
    return text + "".join(f"\n## {name}\n\n{body}\n" for name, body in sections.items())


@dataclass(frozen=True)
class _Facts:
    """What the files of a run say."""

    plan: Plan
    environment: Mapping[str, Any]
    model: ModelSpec | None
    dataset: DatasetSpec | None
    size: int
    last: Mapping[str, Any]
    figures: Sequence[Figure]
    withheld: bool
    measured_at: int | None
    protects_data: bool
    statement: Mapping[str, str]

    @classmethod
    def of(cls, run: Run) -> _Facts:
        rows = run.metrics()
        figures, measured_at = _figures(run.path / "evaluation.json")
        said = _statement(run.path / "statement.json")
        # What is measured on protected items tells of them, with no noise on it.
        told = [f for f in figures if not (said["protects_data"] and _OF_TRAINING in f.card)]
        return cls(
            plan=run.plan,
            environment=run.environment(),
            model=_spec("models", run.plan.distributions.get("model"), run.plan.model),
            dataset=_spec("datasets", run.plan.distributions.get("dataset"), run.plan.dataset),
            size=_count_weights(run.path / "model" / "weights.safetensors"),
            last=rows[-1] if rows else {"step": 0, "seconds": 0.0},
            figures=told,
            withheld=len(told) < len(figures),
            measured_at=measured_at,
            protects_data=bool(said["protects_data"]),
            statement={_plain(key): _plain(value) for key, value in said["facts"].items()},
        )

    @property
    def items(self) -> int:
        return int(self.environment.get("data", {}).get("items", 0))

    @property
    def is_current(self) -> bool:
        """Whether the figures are of the weights that the model folder has."""
        return self.measured_at in (None, self.last["step"])

    @property
    def memorisation(self) -> list[Figure]:
        return [figure for figure in self.figures if figure.name in _MEMORISATION]


def _spec(kind: str, distribution: str | None, name: str) -> Any:
    try:
        return installed().find(kind, f"{distribution}/{name}").spec
    except GenkitError:
        return None  # the card can do without


def _figures(path: Path) -> tuple[Sequence[Figure], int | None]:
    """Read what was measured, and the step of the weights it was measured of, if that is said."""
    if not path.is_file():
        return (), None
    try:
        data = read_json(path)
        figures = [Figure.from_dict(figure) for figure in data.get("metrics", ())]
    except (RunError, TypeError):
        return (), None  # a damaged evaluation must not cost the card of the training
    step = data.get("step")
    return figures, step if type(step) is int else None


def _statement(path: Path) -> Mapping[str, Any]:
    """Read what the run's trainer has to say; most have nothing."""
    return read_json(path) if path.is_file() else {"protects_data": False, "facts": {}}


def _count_weights(path: Path) -> int:
    """Count the numbers in a safetensors file by its header alone."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as archive:
            return sum(math.prod(archive.get_slice(k).get_shape()) for k in archive.keys())  # noqa: SIM118 - it is no dict
    except (OSError, SafetensorError) as error:
        raise RunError(f"The file {path} can't be read: {error}.") from error


def _data(facts: _Facts) -> str:
    dataset, data = facts.dataset, facts.environment.get("data", {})
    licence = _plain(dataset.licence) if dataset and dataset.licence else ""
    rows = {
        "data set": _plain(facts.plan.dataset),
        "what": _plain(dataset.summary) if dataset else "the data set's plugin is not installed",
        "licence": licence or "not known: it is that of your own files, ask whoever made them",
        "homepage": _plain(dataset.homepage) if dataset and dataset.homepage else "none",
        "items": f"{facts.items:,}",
    }
    if not facts.protects_data:  # by a hash anyone could try out what the data is
        rows["fingerprint"] = f"{_plain(data.get('fingerprint', 'not known'))} (SHA-256)"
    return f"""{_rows(rows)}

The licence of the weights is not settled by training: whoever publishes them chooses it, within
what the licence of the data allows, and writes it into the header above, which says `unknown`:
last of all, for training on and evaluating write this card anew."""


def _rows(rows: Mapping[str, str]) -> str:
    """Give facts as a table without a head; the texts are Markdown."""
    return "| | |\n| --- | --- |\n" + "\n".join(f"| {k} | {v} |" for k, v in rows.items())


def _intended_use(facts: _Facts) -> str:
    doing = ", ".join(facts.model.capabilities) if facts.model else "generate"
    return f"""To {doing} data like that of {_plain(facts.plan.dataset)}: for study, teaching,
comparison of methods, and as a start for training on related data. What it makes is synthetic:
don't pass it off as collected data, and don't decide about people by it."""


def _limits(facts: _Facts) -> str:
    seen = f"It has seen {facts.items:,} items and nothing else"
    limits = [f"{seen}: what they lack it can't make, and what is unfair in them it repeats."]
    if not facts.figures:
        limits.append(f"Its quality is not known: it was not measured. {_EVALUATE}")
    if not facts.memorisation and not facts.withheld:
        limits.append("How much of the training data it gives away is not known.")
    losses = ", ".join(
        f"{_plain(k)} {v:.4g}"
        for k, v in facts.last.items()
        if k not in ("step", "epoch", "seconds") and isinstance(v, (int, float))
    )
    if losses and not facts.protects_data:
        limits.append(f"Its last training losses, {losses}, say little about quality.")
    if facts.environment.get("init"):
        limits.append(
            "It began with weights of another run, which is not described here: what that had "
            "seen may show."
        )
    return "\n".join(f"- {limit}" for limit in limits)


_WITHHELD = (
    "Figures that look at the training data are not written here: measured on the protected items."
)
_EVALUATE = "`genkit evaluate RUN` measures it, and renews this card."


def _evaluation(facts: _Facts) -> str:
    if not facts.figures:
        return _WITHHELD if facts.withheld else f"None. {_EVALUATE}"
    note = f"{_WITHHELD}\n\n" if facts.withheld else ""
    if not facts.is_current:
        note += (
            f"Measured of the weights of step {facts.measured_at}; those here are of step "
            f"{facts.last['step']}.\n\n"
        )
    return note + _table(facts.figures)


def _memorisation(facts: _Facts) -> str:
    if facts.withheld:
        return _WITHHELD
    if not facts.memorisation:
        return f"Not measured. {_EVALUATE}"
    values = "; ".join(f"{_plain(f.name)} {_value(f)}" for f in facts.memorisation)
    return (
        f"{values}. How it was measured stands in the table above. A memorisation of 1 means no "
        "nearer to the training data than held-out data is; well below 1, or any copies, means "
        "that items were learned by heart. Good figures are no proof that none was."
    )


def _table(figures: Sequence[Figure]) -> str:
    rows = "\n".join(
        f"| {_plain(f.name)} | {f.value:.4g} | {f.low:.4g} to {f.high:.4g} | "
        f"{'lower' if f.direction == 'min' else 'higher'} | {_how(f.card)} |"
        for f in figures
    )
    return f"""| metric | value | 95 % interval | better | measured with |
| --- | --- | --- | --- | --- |
{rows}"""


def _value(figure: Figure) -> str:
    return f"{figure.value:.4g} (95 % interval {figure.low:.4g} to {figure.high:.4g})"


def _how(card: Mapping[str, Any]) -> str:
    return "; ".join(
        f"{_plain(key)} {_plain(value if isinstance(value, str) else json.dumps(value))}"
        for key, value in card.items()
    )


def _compute(facts: _Facts) -> str:
    seconds, step = float(facts.last["seconds"]), facts.last["step"]
    machines = list(_machines(facts.environment))
    low, high = _energy(seconds, facts.environment)
    rows = {
        "training time": f"{seconds:.0f} s, summed over all sittings",
        "steps": f"{step} of batch size {facts.plan.batch_size}",
        "machine": _plain(machines[0]),
        **{f"later sitting {n}": _plain(m) for n, m in enumerate(machines[1:], 1)},
        "energy, estimated": f"{low:.2g} to {high:.2g} Wh",
    }
    per_thread, accelerator = (
        f"{low:.0f} to {high:.0f} W" for low, high in (WATTS_A_THREAD, WATTS_AN_ACCELERATOR)
    )
    return f"""{_rows(rows)}

The energy was not measured. It is training time x power, with an assumed power of {per_thread}
for each thread of a processor, all of them busy, or {accelerator} for an accelerator and nothing
for its host. Cooling, idle parts, trials before this run and evaluation are not in it."""


def _devices(environment: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], int]]:
    """Give the device and its threads of each sitting that differed from the one before."""
    for sitting in (environment, *environment.get("later", ())):
        device = sitting.get("device", {})
        yield device, int(device.get("threads") or sitting.get("cpus") or 1)


def _machines(environment: Mapping[str, Any]) -> Iterator[str]:
    sittings = (environment, *environment.get("later", ()))
    for sitting, (device, threads) in zip(sittings, _devices(environment), strict=True):
        kind, name = device.get("platform", "?"), device.get("device", "?")
        what = sitting.get("processor") or name if kind == "cpu" else f"{name} ({kind})"
        yield f"{what}, {threads} threads, {sitting.get('platform', '?')}"


def _energy(seconds: float, environment: Mapping[str, Any]) -> tuple[float, float]:
    """Estimate between which energies, in watt-hours, the training lies."""
    ranges = [
        tuple(threads * watts for watts in WATTS_A_THREAD)
        if device.get("platform", "cpu") == "cpu"
        else WATTS_AN_ACCELERATOR
        for device, threads in _devices(environment)
    ]
    least, most = min(low for low, _ in ranges), max(high for _, high in ranges)
    return seconds * least / 3600, seconds * most / 3600


_USE = """```python
import genkit

model = genkit.load("this folder")
samples = model.generate(16, seed=0)
```"""


def _settings(plan: Plan) -> str:
    """Give the plan's settings as JSON, whose lines can't close the block they stand in.

    Where the data lay on somebody's disk is nobody's business.
    """
    settings = {
        "preset": plan.preset,
        "precision": plan.precision,
        "seed": plan.seed,
        "config": plan.config,
        "data": {key: value for key, value in plan.data.items() if key != "path"},
    }
    return f"```json\n{json.dumps(settings, indent=2)}\n```"


def _plain(text: object) -> str:
    """Give a text on one line in which Markdown has nothing to do."""
    line = " ".join(str(text).split())
    return "".join(f"\\{c}" if c in _MARKDOWN else c for c in line)
