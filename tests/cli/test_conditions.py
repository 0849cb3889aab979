"""Conditions on the command line: flags for all items, a table with a line for each."""

import json

import numpy as np
import pytest

import genkit
from genkit.builtin import plugin as builtin
from genkit.cli import conditions, prompts
from genkit.errors import UsageError
from genkit.plugins.condition import describe_condition
from genkit.plugins.registry import Registry, using
from tests.cli import conditions_plugin

pytestmark = [pytest.mark.once, pytest.mark.usefixtures("active_backend")]


@pytest.fixture
def run(tmp_path, active_backend):
    with using(Registry(plugins=[builtin, conditions_plugin])):
        result = genkit.train("shown", runs_dir=tmp_path, backend=active_backend, verbose=False)
        yield result.path


@pytest.fixture
def shown(genkit_here, run):
    def generate(*arguments):
        code, out, error = genkit_here("generate", run, *arguments, "--format", "npz", "--json")
        assert code == 0, error
        with np.load(run / "generated" / "samples.npz") as arrays:
            return json.loads(out), arrays["samples"].tolist()

    return generate


def test_flags_hold_for_all_items(shown):
    told, samples = shown("--where", "income=>50K", "--where", "age=39", "--prompt", "abc",
                          "--n", 3, "--label", "cat")  # fmt: skip
    assert samples == [[2, 1, 39, 3]] * 3
    assert told["given"] == {"prompt": "abc", "income": ">50K", "age": "39"}
    _, samples = shown("--where", "income=0", "--n", 4)
    assert samples == [[0, 0, -1, 0], [1, 0, -1, 0], [2, 0, -1, 0], [0, 0, -1, 0]]


def test_a_table_has_a_line_an_item_in_order(shown, tmp_path):
    table = tmp_path / "seeds.csv"
    table.write_text('\ufeffincome,age,label\n>50K,20,bee\n"<=50K",,ant\n>50K,90,2\n')
    told, samples = shown("--given", table, "--prompt", "ab")
    assert samples == [[1, 1, 20, 2], [0, 0, -1, 2], [2, 1, 90, 2]]
    assert (told["n"], told["given_from"]) == (3, str(table))


PROMPTS = {
    "a.txt": "ab\n\nabcd\r\n",
    "a.csv": 'id,prompt\n1,ab\n2,"abcd"\n',
    "a.jsonl": '{"prompt": "ab"}\n\n{"id": 2, "prompt": "abcd"}\n',
}


@pytest.mark.parametrize("name", PROMPTS)
def test_a_file_of_prompts_has_an_item_or_several_of_each(shown, tmp_path, name):
    file = tmp_path / name
    file.write_text(PROMPTS[name], newline="")
    asked = ("--where", "income=1", "--prompts", file)
    told, samples = shown(*asked)
    assert [sample[3] for sample in samples] == [2, 4]
    assert (told["n"], told["given_from"], told["prompts_cut"]) == (2, str(file), 0)
    told, samples = shown(*asked, "--n", 3)
    assert [sample[3] for sample in samples] == [2, 2, 2, 4, 4, 4]
    assert told["n"] == 6


def test_a_prompt_that_is_too_long_is_cut_from_the_left_and_told(genkit_here, run, tmp_path):
    file = tmp_path / "a.txt"
    file.write_text("ab\n" + "a" * 20 + "\n")
    asked = ("--where", "income=1", "--prompts", file, "--format", "npz")
    code, _, error = genkit_here("generate", run, *asked)
    assert code == 0
    assert "1 of 2 prompts are longer than the model takes: cut from the left" in error
    with np.load(run / "generated" / "samples.npz") as arrays:
        assert arrays["samples"][:, 3].tolist() == [2, 12]


def test_what_is_cut_is_the_left_end():
    class Model:
        conditions = (genkit.Condition("prompt", longest=3),)

        def encode_condition(self, name, values):
            return [np.array(list(text)) for text in values]

    found, cut = prompts.cut_to_fit(Model(), ["abcde", "ab"])
    assert (["".join(each) for each in found], cut) == (["cde", "ab"], 1)
    assert prompts.cut_to_fit(Model(), ["cde", "ab"]) == (["cde", "ab"], 0)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.txt", b"", "Expected prompts in .*it has none"),
        ("a.txt", b"\n \n", "it has none"),
        ("a.txt", b"\xff", "no UTF-8"),
        ("a.txt", b"a\0b", "NUL"),
        ("a.csv", b"text\na\n", "line 2 has none"),
        ("a.csv", b'prompt\n"a\n', "line 1: unexpected end of data"),
        ("a.jsonl", b'{"prompt": "a"}\n{\n', "line 2 has none"),
        ("a.jsonl", b'{"prompt": 3}\n', "line 1 has none"),
        ("b.txt", None, "No such file"),
    ],
)
def test_a_file_without_prompts_is_refused_in_one_line(tmp_path, name, content, said):
    file = tmp_path / name
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(UsageError, match=said) as caught:
        prompts.read_prompts(file)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "generates nothing without a value of 'income'"),
        (("--where", "income=1", "--where", "pay=1"), "Shown takes no condition 'pay'"),
        (("--where", "income=rich"), "Expected income to be one of"),
        (("--where", "income=1", "--where", "age=130"), "Expected age from 17 to 90"),
        (("--where", "income=1", "--prompt", "a" * 13), "'prompt' of at most 12 steps"),
        (("--where", "income"), "Expected --where FIELD=VALUE; received 'income'"),
        (("--where", "income=1", "--where", "income=0"), "Expected 'income' once"),
        (("--given", "TABLE", "--where", "income=1"), "it in TABLE and as a flag"),
        (("--given", "TABLE", "--n", "2"), "--given without --n and --label"),
        (("--given", "nowhere.csv"), "nowhere.csv: No such file"),
        (("--prompts", "TABLE", "--prompt", "a"), "--prompts without --prompt, --given and"),
    ],
)
def test_a_mistake_is_told_in_one_line(genkit_here, run, tmp_path, arguments, said):
    table = tmp_path / "seeds.csv"
    table.write_text("income\n1\n0\n")
    asked = [str(table) if word == "TABLE" else word for word in arguments]
    code, out, error = genkit_here("generate", run, *asked, "--out", tmp_path / "out")
    flat = " ".join(error.split())
    assert (code, out) == (2, "")
    assert said.replace("TABLE", str(table)) in flat
    assert "Traceback" not in error
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "has nothing and 0 lines more"),
        ("income,age\n", "and 0 lines more"),
        ("income,income\n1,2\n", "each once"),
        ("income,\n1,2\n", "names conditions"),
        ("income,age\n1,2\n1\n", "Expected 2 cells in each line of .*; item 2 has 1"),
        ('income\n"1\n', "unexpected end of data"),
    ],
)
def test_a_table_that_is_none_is_refused(tmp_path, text, said):
    table = tmp_path / "seeds.csv"
    table.write_text(text)
    with pytest.raises(UsageError, match=said):
        conditions.by_item(table)


def test_a_cell_without_a_value_in_a_label_column_is_refused(genkit_here, run, tmp_path):
    table = tmp_path / "seeds.csv"
    table.write_text("income,label\n1,ant\n0,\n")
    code, _, error = genkit_here("generate", run, "--given", table)
    assert code == 2
    assert "'label' for each item; that of item 1 is missing" in " ".join(error.split())


def test_a_report_gives_the_model_what_it_needs_from_real_items(run):
    page = genkit.write_report(run).path.read_text()
    assert "Generated, seed" in page


def test_the_help_of_a_run_tells_what_its_model_takes(genkit_here, run, monkeypatch):
    for columns in (50, 100):
        monkeypatch.setenv("COLUMNS", str(columns))
        code, out, _ = genkit_here("generate", run, "--help")
        assert code == 0
        shown = out[out.index("Conditions of the model") :]
        told = " ".join(shown.split())
        for part in (
            "label class: 'ant', 'bee', 'cat' --label ant",
            "income word: '<=50K', '>50K'; required --where 'income=<=50K'",
            "age number from 17 to 90 --where age=17",
            'prompt text of at most 12 steps --prompt "..."',
        ):
            assert part in told
        assert max(map(len, shown.splitlines())) <= columns
    saved = run / "model" / "config.json"
    told = json.loads(saved.read_text())
    saved.write_text(json.dumps({**told, "conditions": [{"nam": "label"}]}))
    code, _, error = genkit_here("generate", run, "--help")
    assert (code, error.count("\n")) == (1, 1)
    assert "config.json is damaged" in error
    saved.write_text(json.dumps({key: told[key] for key in told if key != "conditions"}))
    code, out, _ = genkit_here("generate", run, "--help")
    assert (code, "Conditions of the model" in out) == (0, False), "an older GenKit told nothing"


@pytest.mark.usefixtures("run")
def test_info_tells_what_a_model_takes(genkit_here):
    _, out, _ = genkit_here("info", "shown")
    told = " ".join(out.partition("Conditions")[2].split())
    assert "label class --label CLASS" in told
    assert "income value of the data; required --where income=VALUE" in told
    _, out, _ = genkit_here("info", "shown", "--json")
    conditions = {each["name"]: each for each in json.loads(out)["conditions"]}
    assert list(conditions) == ["label", "income", "age", "prompt"]
    assert conditions["income"]["required"]
    assert (conditions["prompt"]["kind"], conditions["prompt"]["longest"]) == ("text", 12)
    assert "conditions" in str(genkit.info("shown"))


@pytest.mark.parametrize(
    ("field", "names", "kind", "example"),
    [
        (genkit.Field((), "datetime64[D]", "date"), (), "date", "--where x=2001-05-31"),
        (genkit.Field((), "bool", "flag"), (), "true or false", "--where x=true"),
        (genkit.Field((), "float32", "number", (0.5, 2)), (), "number", "--where x=0.5"),
        (genkit.Field((), "int32", "job"), ["a 1"] * 9, "word", "--where 'x=a 1'"),
        (genkit.Field((None,), "int32", "text"), ["a"] * 9, "text", '--where x="..."'),
        (genkit.Field((4, 8, 8, 1), "uint8", "video", (0, 255)), (), "array", ""),
    ],
)
def test_an_example_is_of_the_kind_that_a_value_has(field, names, kind, example):
    told = describe_condition(genkit.Condition("x"), field, names)
    assert (told["kind"], told["example"]) == (kind, example)
    assert len(told["names"]) <= 5


def test_columns_and_classes_are_completed(run):
    import typer

    from genkit.cli import run_completion

    context = typer.Context(typer.main.get_command(typer.Typer(callback=lambda: None)))
    context.params = {"run": str(run)}
    offered = [word for word, _ in run_completion.conditions(context, "")]
    assert offered == ["label=", "income=", "age=", "prompt="]
    assert [word for word, _ in run_completion.conditions(context, "income=>")] == ["income=>50K"]
