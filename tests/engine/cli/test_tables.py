from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from autolog_core.cli.render.tables import Cell, Column, Table, fit, to_tsv

texts = st.text(max_size=40)
ID = Column("ID", "id")


@st.composite
def tables(draw):
    count = draw(st.integers(1, 6))
    columns = tuple(
        Column(f"C{i}", f"c{i}", least=draw(st.integers(1, 8)), rank=draw(st.integers(0, 5)))
        for i in range(count)
    )
    row = st.tuples(*[texts.map(Cell)] * count)
    return Table(columns, tuple(draw(st.lists(row, max_size=5))))


@given(tables(), st.integers(60, 120))
def test_a_table_fits_its_width(table, width):
    fitted = fit(table, width)
    lines = fitted.text.plain.split("\n")
    assert lines.pop() == ""
    assert len(lines) == 1 + len(table.rows)
    assert all(cell_len(line) <= width for line in lines)


@given(tables())
def test_a_piped_table_has_a_line_per_row_and_a_tab_between_columns(table):
    lines = to_tsv(table).split("\n")
    assert lines.pop() == ""
    assert len(lines) == 1 + len(table.rows)
    assert {line.count("\t") for line in lines} == {len(table.columns) - 1}


def test_columns_of_the_highest_rank_go_first():
    columns = (ID, Column("A", "a", rank=1), Column("B", "b", rank=2))
    table = Table(columns, ((Cell("12345678"), Cell("a" * 10), Cell("b" * 10)),))
    assert fit(table, 40).dropped == ()
    assert fit(table, 24).dropped == ("B",)
    assert fit(table, 12).dropped == ("A", "B")
    assert fit(table, 3).text.plain == "ID\n12345678\n"


def test_the_widest_text_is_cut_first():
    columns = (Column("N", "n", least=4), Column("M", "m", least=4), Column("V", "v", "right"))
    table = Table(columns, ((Cell("n" * 30), Cell("m" * 10), Cell("1.5")),))
    line = fit(table, 37).text.plain.split("\n")[1]
    assert "m" * 10 in line
    assert "…" in line
    assert line.endswith("1.5")
    assert "~" in fit(table, 37, ascii_only=True).text.plain


def test_a_pipe_gets_exact_values_and_escapes():
    table = Table((ID,), ((Cell("1.2", "1.23456789"),), (Cell("a\tb\nc\x1b"),)))
    assert to_tsv(table) == "id\n1.23456789\na\\tb\\nc\ufffd\n"
