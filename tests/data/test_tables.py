"""Tables of text: forms that are read alike, what is none, and rows that are no rows."""

import bz2
import contextlib
import csv
import gzip
import io
import lzma
import random
import tarfile
import zipfile

import pytest

from genkit.data import table_rows, table_text
from genkit.data.tables import OPEN_QUOTE, WIDTH, Dialect, is_missing, read_table
from genkit.errors import DataError

pytestmark = pytest.mark.once

ROWS = [("1", "Amélie"), ("2", "漢字 🎬"), ("3", "a, b; c")]
TEXT = 'id,title,year\n1,Amélie,2001\n2,漢字 🎬,1999\n3,"a, b; c",1980\n'


def read(path, content, columns=("id", "title"), dialect=None, **more):
    """Write a file; return the rows, the lines of malformed ones with reasons, doubtful lines."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    chunks = list(read_table(path, columns, dialect, **more))
    rows = [tuple(row) for chunk in chunks for row in chunk.rows]
    wrong = {each.line: each.reason for chunk in chunks for each in chunk.malformed}
    return rows, wrong, [line for chunk in chunks for line in chunk.doubtful]


def zipped(*names, content=TEXT):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, content)
    return stream.getvalue()


def parted(delimiter):
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=delimiter, lineterminator="\n")
    writer.writerows([("id", "title", "year"), *((*row, "x") for row in ROWS)])
    return stream.getvalue()


ALIKE = {
    "with a byte order mark": TEXT.encode("utf-8-sig"),
    "UTF-16": TEXT.encode("utf-16"),
    "UTF-16 without a mark": TEXT.encode("utf-16-le"),
    "UTF-16, big end first, without a mark": TEXT.encode("utf-16-be"),
    "UTF-32": TEXT.encode("utf-32"),
    "gzip": gzip.compress(TEXT.encode()),
    "two gzip members": gzip.compress(TEXT[:30].encode()) + gzip.compress(TEXT[30:].encode()),
    "bzip2": bz2.compress(TEXT.encode()),
    "xz": lzma.compress(TEXT.encode()),
    "zip": zipped("films.csv"),
    "zip from a Mac": zipped("films.csv", "__MACOSX/._films.csv", ".DS_Store"),
    "UTF-16 inside gzip": gzip.compress(TEXT.encode("utf-16")),
    "semicolons": parted(";"),
    "pipes": parted("|"),
    "tabs": TEXT.replace('"a, b; c"', "a; b; c").replace(",", "\t").replace("a;", "a,"),
    "two colons": TEXT.replace('"a, b; c"', "a; b; c").replace(",", "::").replace("a;", "a,"),
    "line ends of Windows": TEXT.replace("\n", "\r\n"),
    "line ends of old Macs": TEXT.replace("\n", "\r"),
    "no end of the last line": TEXT.rstrip("\n"),
    "Excel's first line": "sep=;\n" + parted(";"),
    "comments": "# made on 2020-01-01\n#id: x\n\n"
    + TEXT.replace("2,", "# half\n2,", 1)
    + "# end\n",
    "a head that is a comment": "#" + TEXT,
    "blank lines, and rows of nothing": "\n  \n" + TEXT.replace("\n", "\n\n , ,\n") + ",,\n",
    "an empty cell at each end": TEXT.replace("\n", ",\n"),
    "names with types": TEXT.replace("id,title", "id:token,title:token_seq"),
    "blanks in the head": TEXT.replace("id,title", " id , title "),
    "quoted head": TEXT.replace("id,title", '"id","title"'),
}


@pytest.mark.parametrize("form", ALIKE)
def test_a_table_is_read_alike_in_any_form(tmp_path, form):
    assert read(tmp_path / "t.csv", ALIKE[form]) == (ROWS, {}, [])


@pytest.mark.parametrize(
    ("content", "dialect"),
    [
        (TEXT.replace("漢字 🎬", "x").encode("latin-1"), Dialect(encoding="latin-1")),
        (TEXT.replace("漢字 🎬", "x").encode("cp1252"), Dialect(fallback="latin-1")),
        (TEXT.replace("Amélie", "x").replace(" 🎬", "").encode("gbk"), Dialect(encoding="gbk")),
        (TEXT.encode("utf-16"), Dialect(encoding="latin-1")),
        (parted("^").encode(), Dialect(delimiter="^")),
        (parted("\t").replace('"', "").encode(), Dialect(delimiter="tab")),
        (TEXT.encode(), Dialect(delimiter=";")),
    ],
)
def test_settings_say_how_a_table_is_written(tmp_path, content, dialect):
    rows, wrong, _ = read(tmp_path / "t.csv", content, dialect=dialect)
    assert [row[0] for row in rows] == ["1", "2", "3"]
    assert rows[2] == ROWS[2]
    assert wrong == {}
    assert rows[0][1] in {"Amélie", "x"}


def tarred():
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        archive.addfile(tarfile.TarInfo("films.csv"))
    return stream.getvalue()


REFUSED = {
    "Zstandard": (b"\x28\xb5\x2f\xfd" + b"x" * 50, "packed by Zstandard", "Unpack it"),
    "7-Zip": (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", "Unpack it"),
    "Excel": (zipped("[Content_Types].xml", "xl/workbook.xml"), "a spreadsheet", "as CSV in UTF-8"),
    "old Excel": (b"\xd0\xcf\x11\xe0\xa1\xb1", "an Excel workbook", "as CSV"),
    "Parquet": (b"PAR1\x15", "Parquet", "as CSV"),
    "SQLite": (b"SQLite format 3\x00", "an SQLite database", "as CSV"),
    "pickle": (b"\x80\x04\x95", "a pickle, which is never opened", "as CSV"),
    "JSON": ('{"id": 1}', "JSON", "as CSV"),
    "web page": ("\ufeff <!DOCTYPE html><html>", "a web page", "Download the file itself"),
    "Git LFS": ("version https://git-lfs.github.com/spec/v1", "a pointer of Git", "git lfs pull"),
    "binary": (bytes(range(64)) + b"\0" * 64, "binary data", "as CSV"),
    "tar": (tarred(), "a tar archive", "Unpack it"),
    "packed twice": (gzip.compress(gzip.compress(b"id")), "packed twice", "Unpack it"),
    "two in a zip": (zipped("a.csv", "b.csv"), "it holds 2: a.csv, b.csv", "Unpack it"),
    "a gzip cut short": (gzip.compress(TEXT.encode())[:40], "ends too early", "again"),
    "a damaged gzip": (gzip.compress(TEXT.encode())[:-8] + b"\0" * 8, "damaged", "again"),
    "a damaged xz": (lzma.compress(TEXT.encode())[:-30] + b"x" * 30, "can't be read", "again"),
    "Latin-1": (TEXT.replace("漢字 🎬", "x").encode("latin-1"), "as UTF-8: e9", "encoding=latin-1"),
    "UTF-16 cut short": (TEXT.encode("utf-16")[:-1], "as UTF-16", "encoding="),
    "nothing": ("", "a column 'id' .* no first line", "Name them"),
    "another column": ("Id,titel\n1,2\n", "a column 'id' .* 'Id', 'titel'", "Did you mean 'Id'"),
    "a column twice": ("id,title,id\n1,2,3\n", "one column 'id'", "Rename"),
    "a line without end": ("id,title\n" + "x" * 5000, "lines of at most", ""),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_table_is_refused_in_one_line_with_what_to_do(tmp_path, monkeypatch, what):
    monkeypatch.setattr(table_rows, "_LONGEST", 4000)
    monkeypatch.setattr(table_rows, "_BLOCK", 1000)
    content, message, hint = REFUSED[what]
    with pytest.raises(DataError, match=message) as caught:
        read(tmp_path / "t.csv", content, remedy="Name them.")
    assert hint in caught.value.hint
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    ("dialect", "told"),
    [
        (Dialect(encoding="latin-7777"), "an encoding that Python knows; received 'latin-7777'"),
        (Dialect(encoding="rot13"), "an encoding that Python knows"),
        (Dialect(encoding="x\0"), "an encoding that Python knows"),
        (Dialect(delimiter="ab"), "as a delimiter; received 'ab'"),
        (Dialect(delimiter='"'), "as a delimiter"),
        (Dialect(most=20), "at most 0 MiB"),
    ],
)
def test_a_dialect_that_does_not_fit_is_refused(tmp_path, dialect, told):
    with pytest.raises(DataError, match=told):
        read(tmp_path / "t.csv", TEXT, dialect=dialect)


def test_a_file_that_is_not_there_and_a_folder_are_refused_without_numbers_of_errors(tmp_path):
    for path, told in ((tmp_path / "none.csv", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(DataError, match=told) as caught:
            next(read_table(path, ["id"]))
        assert "Errno" not in str(caught.value)


def test_without_a_head_columns_have_numbers_and_a_wrong_delimiter_is_named(tmp_path):
    text = "1;x\n2;y\n"
    rows, _, _ = read(tmp_path / "t.csv", text, ["0", "1"], Dialect(delimiter=";"), head=False)
    assert rows == [("1", "x"), ("2", "y")]
    for part, hint in ((";", "delimiter=';'"), ("\t", "delimiter=tab"), (" ", "delimiter=space")):
        with pytest.raises(DataError, match="its first row has 1") as caught:
            read(tmp_path / "t.csv", text.replace(";", part), ["0", "1"], head=False)
        assert hint in caught.value.hint


# Text after the head, rows by their first cell, lines with an open quote, doubtful lines.
QUOTES = {
    "at the end": ('1,a,b\n2,"open,b\n', "1", [3], []),
    "at the begin": ('1,"open,b\n2,a,b\n3,a,b\n', "23", [2], []),
    "two": ('1,a,b\n2,a,"open\n3,a,b\n4,a,"open\n5,a,b\n', "135", [3, 5], []),
    "before a cell in marks": ('1,a,"open\n2,a,b\n3,"fine",b\n', "23", [2], []),
    "before a mark that ends another row": ('1,a,"open\n2,a,b\n3,a,b"\n4,a,b\n', "14", [], [2]),
    "that ends the next row": ('1,a,"open\n2,a,b"\n3,a,b\n', "13", [], [2]),
    "none, but a cell of two lines": ('1,"two\nlines, and more",b\n2,a,b\n', "12", [], []),
    "none, but an empty line inside": ('1,"two\n\nlines",b\n2,a,b\n', "12", [], []),
    "none, but pairs inside": ('1,"he said "hi" there",b\n2,a,b\n', "12", [], []),
    "none, but doubled ones": ('1,"he said ""hi, you""",b\n2,a,b\n', "12", [], []),
    "none, but inches": ('1,5" disk,b\n2,a,b\n', "12", [], []),
    "none, but a blank after": ('1,"a" ,b\n2,a,b\n', "12", [], []),
    "an odd one inside": ('1,"5\\" disk",b\n2,a,b\n3,a,b\n', "23", [2], []),
    "each line": ('1,a,"x\n2,a,"x\n3,a,"x\n', "", [2, 3, 4], []),
}


@pytest.mark.parametrize("block", [1 << 20, 4])
@pytest.mark.parametrize("where", QUOTES)
def test_a_quotation_mark_that_is_not_closed_costs_its_own_line(
    tmp_path, monkeypatch, where, block
):
    monkeypatch.setattr(table_rows, "_BLOCK", block)
    text, kept, open_in, doubtful = QUOTES[where]
    rows, wrong, doubts = read(tmp_path / "t.csv", "id,title,c\n" + text)
    assert "".join(row[0] for row in rows) == kept
    assert wrong == dict.fromkeys(open_in, OPEN_QUOTE)
    assert doubts == doubtful


def test_between_tabs_a_quotation_mark_is_a_character(tmp_path):
    rows, wrong, _ = read(tmp_path / "t.tsv", 'id\ttitle\n1\t"open\n2\t5" "disk"\n')
    assert rows == [("1", '"open'), ("2", '5" "disk"')]
    assert wrong == {}


WIDTHS = {
    "a decimal comma": ("1,3,5,x\n2,a,b\n", "2", [2]),
    "a comma in a title": ("1,Film, The,b\n2,a,b\n", "2", [2]),
    "a cell too many at the end": ("1,a,b\n2,a,b,c\n", "1", [3]),
    "empty cells too many": ("1,a,b,,,\n2,a,b,\n", "12", []),
    "no last cell": ("1,a\n2,a,b\n", "12", []),
    "no wanted cell": ("1\n2,a,b\n", "2", [2]),
    "a last line that is cut": ("1,a,b\n2,a", "1", [3]),
    "a last line that is cut after one of several": ('1,"a\nb",c\n2,a', "1", [4]),
    "a last line that is not": ("1,a,b\n2,a,b", "12", []),
    "two tables": ("1,a,b\nTotal;2\n", "1", [3]),
    "a comment": ("1,a,b\n# half, of it, is done\n#1,a,b\n", "1#1", []),
}


@pytest.mark.parametrize("block", [1 << 20, 3])
@pytest.mark.parametrize("case", WIDTHS)
def test_rows_wider_than_the_head_or_without_a_wanted_cell_are_malformed(
    tmp_path, monkeypatch, case, block
):
    monkeypatch.setattr(table_rows, "_BLOCK", block)
    text, kept, lines = WIDTHS[case]
    rows, wrong, _ = read(tmp_path / "t.csv", "id,title,c\n" + text)
    assert "".join(row[0] for row in rows) == kept
    assert wrong == dict.fromkeys(lines, WIDTH)


@pytest.mark.parametrize("seed", range(30))
def test_what_csv_writes_is_read_back_whatever_the_size_of_blocks(tmp_path, monkeypatch, seed):
    draw = random.Random(seed)
    monkeypatch.setattr(table_rows, "_BLOCK", draw.choice([1, 3, 20, 1000]))
    letters = 'ab"",,\n\r \u2028\x0b;#'
    table = [
        [f"{n}", *("".join(draw.choices(letters, k=draw.randrange(7))) for _ in range(2))]
        for n in range(draw.randrange(1, 40))
    ]
    stream = io.StringIO()
    csv.writer(stream, quoting=draw.choice([0, 1])).writerows([["id", "title", "c"], *table])
    rows, wrong, _ = read(tmp_path / "t.csv", stream.getvalue())
    assert wrong == {}
    assert rows == [tuple(row[:2]) for row in table]


def test_lines_are_numbered_as_an_editor_does(tmp_path):
    text = '# a\nid,title\n\n1,"two\nlines"\n2,a\nwrong,a,b\n'
    (chunk,) = read_table(write(tmp_path, text), ["id"])
    assert list(chunk.lines) == [4, 6]
    assert [each.line for each in chunk.malformed] == [7]
    assert chunk.malformed[0].text == "expected 2 cells; received 3, 'wrong,a,b'"


def write(folder, text):
    path = folder / "t.csv"
    path.write_text(text, encoding="utf-8", newline="")
    return path


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_a_small_file_that_unpacks_to_a_huge_one_is_refused(tmp_path, monkeypatch, pack):
    monkeypatch.setattr(table_text, "_FREE", 1 << 18)
    (tmp_path / "t.csv.gz").write_bytes(pack(b"id,title\n" + b"a,b\n" * (1 << 18)))
    with pytest.raises(DataError, match="more than 100 times its size") as caught:
        for _ in read_table(tmp_path / "t.csv.gz", ["id"]):
            pass
    assert "unpack it" in caught.value.hint.lower()


def test_marks_that_never_close_cannot_make_reading_slow(tmp_path, monkeypatch):
    monkeypatch.setattr(table_rows, "_MOST_AGAIN", 1 << 20)
    line = 'x",",""y\n'  # opens a cell, and inside of one stays inside
    path = write(tmp_path, "id,title\n" + line * 50_000)
    with pytest.raises(DataError, match="quotation marks that close .*; many don't, as in line"):
        list(read_table(path, ["id"]))


@pytest.mark.parametrize("form", ALIKE)
def test_a_damaged_file_is_read_or_refused_and_nothing_else(tmp_path, form):
    content = ALIKE[form]
    draw = random.Random(form)
    for _ in range(20):
        damaged = bytearray(content.encode() if isinstance(content, str) else content)
        for _ in range(draw.randrange(1, 6)):
            damaged[draw.randrange(len(damaged))] = draw.choice([0, 10, 34, 44, 255, 128])
        with contextlib.suppress(DataError):
            read(tmp_path / "t.csv", bytes(damaged[: draw.randrange(1, len(damaged) + 1)]))


@pytest.mark.parametrize(
    "text", ["", "  ", "NaN", "nan", "NULL", "null", "None", "NA", "N/A", "\\N"]
)
def test_what_other_tools_write_for_nothing_is_missing(text):
    assert is_missing(text)
    assert is_missing(f" {text} ")


@pytest.mark.parametrize("text", ["0", "none", "nul", "Nan", "na", "nobody", "-", "Nullarbor"])
def test_what_may_be_a_name_is_not_missing(text):
    assert not is_missing(text)
