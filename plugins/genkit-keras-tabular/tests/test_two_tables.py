"""Two tables with one key: what is learned of them, and children that join their parents."""

import json

import numpy as np
import pyarrow as pa
import pytest
from genkit_tabular.joining import join
from genkit_tabular.linking import link, read_link
from genkit_tabular.raw import of_frame, read_file
from pyarrow import csv
from scripts import run_script

import genkit
from genkit.errors import DataError

FIRST, LAST = np.datetime64("2024-01-01"), np.datetime64("2024-12-31")


def shop(n=400, seed=0):
    """Return customers and their orders, a regular one of whom orders the same each week."""
    rng = np.random.default_rng(seed)
    regular = rng.random(n) < 0.5
    counts = np.where(regular, 4, rng.integers(0, 3, n))
    owners = np.repeat(np.arange(n), counts)
    place = np.arange(len(owners)) - np.repeat(np.cumsum(counts) - counts, counts)
    begin = FIRST + rng.integers(0, 330, n)
    day = np.minimum(begin[owners] + 7 * place, LAST)
    fruit = np.array(["apple", "pear", "fig"])[(owners + ~regular[owners] * place) % 3]
    mixed = rng.permutation(len(owners))
    customers = pa.table({"customer": [f"C{i:03d}" for i in range(n)], "regular": regular})
    orders = pa.table({"customer": [f"C{i:03d}" for i in owners], "day": day, "fruit": fruit})
    return customers, orders.take(mixed)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Return the folder where the commands of the how-to page have run."""
    folder = tmp_path_factory.mktemp("shop")
    for name, table in zip(("customers", "orders"), shop(), strict=True):
        csv.write_csv(table, folder / f"{name}.csv")
    run_script("two_tables.sh", folder)
    return folder


@pytest.fixture(scope="module")
def both(place):
    """Return the link, and a model of each table."""
    models = [genkit.load(place / "runs" / name) for name in ("customers", "orders")]
    return read_link(place / "shop"), *models


def rows_of(table):
    return table.to_pylist()


def test_children_are_put_in_order_behind_what_they_follow():
    customers = pa.table({"id": [7, 8, 9], "city": ["Ulm", "Bonn", None]})
    orders = pa.table({
        "id": [9, 7, 9, 5, 7], "day": [3, 20, 1, 4, None], "what": ["b", "x", "a", "y", "z"],
    })  # fmt: skip
    found = link(of_frame(customers), of_frame(orders), "id", "day")
    assert found.left_out == {"id of no parent": 1, "no day": 1}
    parents = rows_of(pa.table(dict(found.parents.columns)))
    assert [row["children"] for row in parents] == [1, 0, 2]
    assert [row["first"] for row in parents] == [20, None, 1]
    first, second, third = rows_of(pa.table(dict(found.children.columns)))
    assert (first["parent.city"], first["what"], first["previous.what"]) == ("Ulm", "x", None)
    assert (second["what"], second["place"], second["left"], second["gap"]) == ("a", 0, 1, None)
    assert (third["what"], third["place"], third["left"], third["gap"]) == ("b", 1, 0, 2)
    assert (third["previous.what"], third["previous.day"]) == ("a", 1)


def test_keys_join_and_dates_never_go_back(place):
    customers, orders = (
        csv.read_csv(place / f"made/{name}.csv") for name in ("parents", "children")
    )
    assert customers.column_names == ["customer", "regular"]
    assert orders.column_names == ["customer", "day", "fruit"]
    known = customers.column("customer").to_pylist()
    assert len(set(known)) == 100
    assert not set(known) & set(shop()[0].column("customer").to_pylist()), "no real one's"
    days = {}
    for row in rows_of(orders):
        days.setdefault(row["customer"], []).append(row["day"])
    assert set(days) <= set(known)
    assert all(
        found == sorted(found) and FIRST <= found[0] <= found[-1] <= LAST for found in days.values()
    )
    assert max(map(len, days.values())) <= 4


def test_children_are_as_many_as_their_parents_say(place, both):
    _, orders, beyond = join(*both, 20, given={"children": "4"})
    assert len(orders) + beyond == 80
    assert min(orders.column("day").to_pylist()) >= FIRST
    assert csv.read_csv(place / "regulars/children.csv").num_rows == len(orders)


def test_what_came_before_is_heeded(both):
    _, orders, _ = join(*both, 150, given={"children": "4"})
    pairs = [(a, b) for a, b in zip(rows_of(orders), rows_of(orders)[1:], strict=False)]
    pairs = [(a, b) for a, b in pairs if a["customer"] == b["customer"]]
    assert np.mean([a["fruit"] == b["fruit"] for a, b in pairs]) > 0.7  # in the data always
    weeks = [(b["day"] - a["day"]).days for a, b in pairs]
    assert np.mean([days == 7 for days in weeks]) > 0.7


def test_a_family_follows_from_seed_and_number(both):
    few, fewer = join(*both, 9, seed=5), join(*both, 4, seed=5)
    mine = set(fewer[0].column("customer").to_pylist())
    of_both = [row for row in rows_of(few[1]) if row["customer"] in mine]
    assert of_both == rows_of(fewer[1])
    assert rows_of(join(*both, 9, seed=6)[1]) != rows_of(few[1])


def renamed(table, old, new):
    return table.rename_columns([new if name == old else name for name in table.column_names])


@pytest.mark.parametrize(
    ("change", "by", "said"),
    [
        (lambda c, o: (renamed(c, "customer", "client"), o), "", "'customer' of the parents"),
        (lambda c, o: (c, renamed(o, "customer", "client")), "", "'customer' of the children"),
        (lambda c, o: (pa.concat_tables([c, c]), o), "", "'C000' stands in several"),
        (lambda c, o: (c, o), "when", "'when' of the children"),
        (lambda c, o: (c, o), "fruit", "to order by; it is a category"),
        (lambda c, o: (c, renamed(o, "fruit", "gap")), "day", "than 'gap'"),
        (lambda c, o: (renamed(c, "regular", "first"), o), "day", "than 'first'"),
    ],
)
def test_tables_that_cannot_be_linked(change, by, said):
    parents, children = change(*shop(8))
    with pytest.raises(DataError, match=said):
        link(of_frame(parents), of_frame(children), "customer", by)


def test_keys_that_never_meet_are_told():
    customers, orders = shop(8)
    others = customers.set_column(0, "customer", pa.array([f"D{i}" for i in range(8)]))
    with pytest.raises(DataError, match="that of a parent; no row"):
        link(of_frame(others), of_frame(orders), "customer")


def test_a_damaged_link_and_other_models_are_refused(both, tmp_path):
    found, parents, children = both
    with pytest.raises(DataError, match="genkit link"):
        read_link(tmp_path)
    strange = json.dumps({**found.model_dump(), "by": {"name": 3}})
    for damage in ("{", "[]", '{"key": 1}', strange):
        (tmp_path / "link.json").write_text(damage)
        with pytest.raises(DataError, match=r"link\.json"):
            read_link(tmp_path).order()
    with pytest.raises(DataError, match="linked parents"):
        join(found, children, parents, 3)


def test_a_folder_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    found = link(*map(of_frame, shop(8)), "customer", "day")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("genkit_tabular.linking.write_table", full)
    with pytest.raises(OSError, match="No space"):
        found.write(tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_files_of_text_are_linked_as_text(tmp_path):
    (tmp_path / "a.csv").write_text("id,city\n01,Ulm\n02,Bonn\n")
    (tmp_path / "b.csv").write_text(
        "id,when,what\n02,2024-03-01,x\n02,2024-02-01,y\n03,2024-01-01,z\n"
    )
    found = link(read_file(tmp_path / "a.csv"), read_file(tmp_path / "b.csv"), "id", "when")
    found.write(tmp_path / "out")
    children = (tmp_path / "out/children.csv").read_text().splitlines()
    assert children[1].split(",")[-1] == '"y"'
    assert '"29"' in children[2]
    assert (tmp_path / "out/parents.csv").read_text().splitlines()[1] == '"01","Ulm","0",'
