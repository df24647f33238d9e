from triage.evaluation.tables import Table

TABLE = Table("Two rows", ("", "share"), (("short", "1"), ("longer name", "22")))


def test_a_plain_table_stands_in_columns() -> None:
    assert TABLE.plain().splitlines() == [
        "Two rows",
        "             share",
        "-----------  -----",
        "short        1",
        "longer name  22",
    ]


def test_a_markdown_table_is_one() -> None:
    assert TABLE.markdown().splitlines() == [
        "**Two rows**",
        "",
        "|  | share |",
        "| --- | --- |",
        "| short | 1 |",
        "| longer name | 22 |",
    ]
