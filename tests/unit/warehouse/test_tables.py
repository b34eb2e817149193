"""Tables of a snapshot: what comes by COPY is read as it was, and a drift is told."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from archive.errors import Permanent
from archive.warehouse.tables import TABLES, Holds, PartsBy, Table

TABLE = Table(
    "made",
    PartsBy.NOTHING,
    {
        "name": Holds.TEXT,
        "size": Holds.COUNT,
        "share": Holds.NUMBER,
        "open": Holds.YES_NO,
        "at": Holds.TIME,
    },
)
TYPES = {"name": "text", "size": "int4", "share": "float8", "open": "bool", "at": "timestamptz"}


def test_rows_are_read_as_postgresql_writes_them() -> None:
    csv = (
        b'"a ""quoted"", name\non two lines",1,0.5,t,2024-05-04 09:00:00+00\n'
        b'"",-2,1e-07,f,2024-05-04 09:00:00.000123+00\n'
        b",,,,\n"
    )
    assert TABLE.frame(csv).rows() == [
        ('a "quoted", name\non two lines', 1, 0.5, True, datetime(2024, 5, 4, 9, tzinfo=UTC)),
        ("", -2, 1e-07, False, datetime(2024, 5, 4, 9, 0, 0, 123, tzinfo=UTC)),
        (None, None, None, None, None),
    ]


def test_no_rows_have_the_columns_all_the_same() -> None:
    assert TABLE.frame(b"").schema == TABLE.schema


def test_what_is_declared_may_come() -> None:
    TABLE.check(TYPES)


@pytest.mark.parametrize(
    ("types", "named"),
    [
        ({**TYPES, "size": "text"}, "size"),
        ({**TYPES, "at": "timestamp"}, "at"),
        ({name: TYPES[name] for name in TYPES if name != "share"}, "share"),
        ({**TYPES, "added": "text"}, "added"),
    ],
)
def test_a_drift_names_the_column(types: dict[str, str], named: str) -> None:
    with pytest.raises(Permanent, match=rf"made.*\b{named}\b"):
        TABLE.check(types)


def test_every_table_is_declared_once() -> None:
    names = [table.name for table in TABLES]
    assert len(names) == len(set(names))
