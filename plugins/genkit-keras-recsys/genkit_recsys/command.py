"""The verbs; imported when somebody types them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import genkit
from genkit.cli.output import JsonFlag, emit, note, say, table
from genkit.errors import UsageError

if TYPE_CHECKING:
    from genkit_recsys.archive import Archive
    from genkit_recsys.recommending import Filters, Recommendation, Request

_Backend = Annotated[
    str | None, typer.Option(help="jax, torch or tensorflow; by default the run's own.")
]


def recommend(  # noqa: PLR0917
    run: Annotated[
        Path, typer.Argument(metavar="RUN", help="A run directory, or an exported model folder.")
    ],
    user: Annotated[str | None, typer.Option(help="Id of a user the model was trained on.")] = None,
    history: Annotated[
        str | None,
        typer.Option(
            metavar="TITLE,TITLE,...",
            help="What a stranger likes, oldest first: titles or ids, parted by commas; id:ID is "
            "always an id.",
        ),
    ] = None,
    all_users: Annotated[
        bool, typer.Option("--all", help="For all users, into the file --out.")
    ] = False,
    k: Annotated[int, typer.Option("-k", "--k", min=1, help="How many items.")] = 10,
    exclude_seen: Annotated[
        bool, typer.Option(help="Leave out what the history has already.")
    ] = True,
    where: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ATTRIBUTE",
            help="Only items with this attribute, or with not:ATTRIBUTE those without. Repeatable.",
        ),
    ] = None,
    diversity: Annotated[
        float, typer.Option(min=0, max=1, help="How much unlikeness counts against the score.")
    ] = 0.0,
    novelty: Annotated[
        float, typer.Option(min=0, help="How much rarity counts; 0 for the score alone.")
    ] = 0.0,
    because: Annotated[
        int, typer.Option(min=0, help="Most items of the history to name as reasons.")
    ] = 3,
    approximate: Annotated[
        bool,
        typer.Option(
            "--approximate", help="With --all: find items by an approximate index (usearch)."
        ),
    ] = False,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE.parquet", help="With --all: the file to write.")
    ] = None,
    backend: _Backend = None,
    as_json: JsonFlag = False,
) -> int:
    """Recommend items, and say why.

    A score compares items of one list. The reasons are the items of the history without which the
    score would fall most.

    Examples:
      genkit recommend runs/mine --user 42 -k 10
      genkit recommend runs/mine --history "Toy Story (1995),Heat (1995)" --json
      genkit recommend runs/mine --user 42 --where Comedy --where not:Horror --diversity 0.3
      genkit recommend runs/mine --all --out recommendations.parquet
    """
    if sum((user is not None, history is not None, all_users)) != 1:
        raise UsageError(
            "Expected one of --user, --history and --all.",
            "Name a user the model knows, or what a stranger likes.",
        )
    if all_users != (out is not None) or (approximate and not all_users):
        raise UsageError("Expected --out FILE.parquet with --all, and --approximate only there.")
    model: Any = genkit.load(run, backend)
    names = where or []
    filters: dict[str, Any] = {
        "k": k,
        "exclude_seen": exclude_seen,
        "having": tuple(name for name in names if not name.startswith("not:")),
        "lacking": tuple(n.removeprefix("not:") for n in names if n.startswith("not:")),
        "diversity": diversity,
        "novelty": novelty,
    }
    if all_users:
        from genkit_recsys.recommending import Filters

        assert out is not None, "checked above"
        return _recommend_to_all(model, out, Filters(**filters, reasons=0), approximate, as_json)
    archive = model.archive
    request = _request(archive, user, history)
    (found,) = model.recommend([request], reasons=because, **filters)
    items = [_row(archive, each) for each in found]
    emit({"run": str(run), "items": items}, as_json, lambda: _show(found, archive, request))
    return 0


def _request(archive: Archive, user: str | None, history: str | None) -> Request:
    from genkit_recsys.recommending import Request

    if user is not None:
        number = archive.user_number(user)
        return Request(tuple(archive.seen[number].tolist()), number)
    return Request(tuple(archive.items_named(history or "")))


def _row(archive: Archive, each: Recommendation) -> dict[str, Any]:
    return {
        "id": archive.items[each.item],
        "title": archive.titles[each.item],
        "score": each.score,
        "because": [archive.name(item) for item in each.because],
    }


def _show(items: list[Recommendation], archive: Archive, request: Request) -> None:
    if not request.history:
        note("There is no history to go by: these are the most popular items.")
    if not items:
        say("No item fits.")
        return
    rows = [
        [
            str(place),
            archive.name(each.item),
            f"{each.score:.4g}",
            "; ".join(archive.name(item) for item in each.because),
        ]
        for place, each in enumerate(items, 1)
    ]
    known = f"of {len(request.history)} items" if len(request.history) != 1 else "of one item"
    table(
        f"By a history {known}, among {len(archive.items)}", ["", "title", "score", "because"], rows
    )


def _recommend_to_all(
    model: Any, out: Path, filters: Filters, approximate: bool, as_json: bool
) -> int:
    from genkit_recsys.batch_export import recommend_to_all

    summary = recommend_to_all(model, out, filters, approximate=approximate)
    counts = f"{summary['rows']} rows for {summary['users']} users"
    emit(summary, as_json, lambda: say(f"{out}: {counts}"))
    return 0


def compare_recommenders(
    first: Annotated[Path, typer.Argument(metavar="RUN", help="A run directory.")],
    second: Annotated[Path, typer.Argument(metavar="RUN2", help="Another, on the same data.")],
    metric: Annotated[
        str, typer.Option(help="Measured of each user: ndcg@10, recall@20, map@10, ...")
    ] = "ndcg@10",
    as_json: JsonFlag = False,
) -> int:
    """Test whether one recommender ranks better than another, user by user.

    Both are measured on the same users; the difference has a 95 % interval and the p of a paired
    t test. Runs that were split or filtered in different ways are refused.

    Examples:
      genkit compare-recommenders runs/ease runs/bpr
      genkit compare-recommenders runs/ease runs/bpr --metric recall@20 --json
    """
    from genkit_recsys.comparing import compare

    one, other, paired = compare(first, second, metric)
    summary = {
        "metric": metric,
        "runs": [str(first), str(second)],
        "figures": [one.to_dict(), other.to_dict()],
        "difference": paired.difference,
        "low": paired.low,
        "high": paired.high,
        "p": paired.p,
        "users": paired.n,
    }

    def show() -> None:
        rows = [
            [str(path), f"{f.value:.4f}", f"{f.low:.4f} to {f.high:.4f}"]
            for path, f in ((first, one), (second, other))
        ]
        table("", ["run", metric, "95 % interval"], rows)
        say(
            f"\n{first} minus {second}: {paired.difference:+.4f} "
            f"({paired.low:+.4f} to {paired.high:+.4f}), "
            f"p = {paired.p:.2g}, over {paired.n} users."
        )

    emit(summary, as_json, show)
    return 0
