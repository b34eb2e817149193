"""Which tables a snapshot shows, with every column and what it holds.

The one declaration: what the database gives is checked against it, the files are written by it,
and the staging models of dbt read it. A column that is not named here does not leave the archive.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Final

from archive.errors import Permanent

if TYPE_CHECKING:
    import polars as pl


class Holds(StrEnum):
    """What a column holds."""

    TEXT = "text"
    COUNT = "count"
    NUMBER = "number"
    YES_NO = "yes or no"
    TIME = "time"


class PartsBy(StrEnum):
    """What a table is cut into pieces by."""

    NOTHING = "nothing"
    MESSAGES = "messages"
    DAYS = "days"


_TYPES: Final[Mapping[Holds, frozenset[str]]] = {
    Holds.TEXT: frozenset({"text", "uuid"}),
    Holds.COUNT: frozenset({"int2", "int4", "int8"}),
    Holds.NUMBER: frozenset({"float4", "float8"}),
    Holds.YES_NO: frozenset({"bool"}),
    Holds.TIME: frozenset({"timestamptz"}),
}
"""PostgreSQL's names of the types that may come."""

# As PostgreSQL writes a timestamptz where the session's zone is UTC.
_TIME_FORMAT: Final = "%Y-%m-%d %H:%M:%S%.f%#z"


@dataclass(frozen=True, slots=True)
class Table:
    """One analytic table.

    Attributes:
        name: Of the table or view it comes from, and of its folder.
        parts_by: What its files are pieces by; a small table is one piece.
        columns: What each holds, in the order of the files.
    """

    name: str
    parts_by: PartsBy
    columns: Mapping[str, Holds]

    @property
    def schema(self) -> dict[str, pl.DataType]:
        """Column → type in the files."""
        return {name: _stored()[holds] for name, holds in self.columns.items()}

    def check(self, types: Mapping[str, str]) -> None:
        """Compare what the database gives with what is declared.

        Args:
            types: Column → PostgreSQL's name of its type, in order.

        Raises:
            Permanent: They differ; the message names the column.
        """
        if list(types) != list(self.columns):
            odd = sorted(set(types) ^ set(self.columns)) or list(types)
            raise Permanent(f"Snapshot of {self.name}: the columns differ in {', '.join(odd)}.")
        for name, holds in self.columns.items():
            if types[name] not in _TYPES[holds]:
                raise Permanent(
                    f"Snapshot of {self.name}: the column {name} is declared to hold {holds}, "
                    f"the database has {types[name]}."
                )

    def frame(self, csv: bytes | bytearray) -> pl.DataFrame:
        """Read rows as PostgreSQL's COPY writes them in CSV, without a header."""
        import polars as pl

        read_as = {
            name: pl.String() if holds in (Holds.TIME, Holds.YES_NO) else _stored()[holds]
            for name, holds in self.columns.items()
        }
        # A memory file, because the reader takes a bytes object for the name of a file.
        rows = pl.read_csv(io.BytesIO(csv), has_header=False, schema=read_as) if csv else None
        if rows is None:
            return pl.DataFrame(schema=self.schema)
        return rows.with_columns(
            [_parsed(name, holds) for name, holds in self.columns.items() if holds in _PARSED]
        )


_PARSED: Final = frozenset({Holds.TIME, Holds.YES_NO})


@cache
def _stored() -> Mapping[Holds, pl.DataType]:
    """Give the types in the files; polars takes 0.4 s to load, and only a snapshot needs it."""
    import polars as pl

    return {
        Holds.TEXT: pl.String(),
        Holds.COUNT: pl.Int64(),
        Holds.NUMBER: pl.Float64(),
        Holds.YES_NO: pl.Boolean(),
        Holds.TIME: pl.Datetime("us", "UTC"),
    }


def _parsed(name: str, holds: Holds) -> pl.Expr:
    import polars as pl

    column = pl.col(name)
    if holds is Holds.YES_NO:
        return column == "t"
    return column.str.to_datetime(_TIME_FORMAT, time_unit="us", time_zone="UTC")


_TEXT, _COUNT, _NUMBER, _YES_NO, _TIME = Holds

TABLES: Final = (
    Table(
        "chats",
        PartsBy.NOTHING,
        {
            "chat_no": _COUNT,
            "title": _TEXT,
            "kind": _TEXT,
            "is_hub": _YES_NO,
            "allow_archive": _YES_NO,
            "allow_faces": _YES_NO,
            "allow_publish": _YES_NO,
            "on_deletion": _TEXT,
            "migrated_to": _COUNT,
            "state": _TEXT,
            "added_at": _TIME,
        },
    ),
    Table(
        "windows",
        PartsBy.NOTHING,
        {
            "window_key": _TEXT,
            "chat_no": _COUNT,
            "first_id": _COUNT,
            "last_id": _COUNT,
            "watermark": _COUNT,
            "sealed": _YES_NO,
            "dirty": _YES_NO,
            "read_at": _TIME,
        },
    ),
    Table(
        "messages",
        PartsBy.MESSAGES,
        {
            "chat_no": _COUNT,
            "message_id": _COUNT,
            "kind": _TEXT,
            "sent_at": _TIME,
            "edited_at": _TIME,
            "deleted_at": _TIME,
            "sender_id": _COUNT,
            "topic_id": _COUNT,
            "grouped_id": _COUNT,
            "forwarded_from": _COUNT,
            "forwarded_message_id": _COUNT,
        },
    ),
    Table(
        "message_media",
        PartsBy.MESSAGES,
        {"chat_no": _COUNT, "message_id": _COUNT, "media_id": _TEXT},
    ),
    Table(
        "media",
        PartsBy.DAYS,
        {
            "media_id": _TEXT,
            "kind": _TEXT,
            "mime_type": _TEXT,
            "size_bytes": _COUNT,
            "content_key": _TEXT,
        },
    ),
    Table(
        "blobs",
        PartsBy.DAYS,
        {
            "content_key": _TEXT,
            "size_bytes": _COUNT,
            "width": _COUNT,
            "height": _COUNT,
            "duration_seconds": _NUMBER,
        },
    ),
    Table(
        "faces",
        PartsBy.DAYS,
        {
            "face_id": _TEXT,
            "content_key": _TEXT,
            "frame_seconds": _NUMBER,
            "quality": _NUMBER,
            "track": _COUNT,
        },
    ),
    Table(
        "assignments",
        PartsBy.DAYS,
        {"face_id": _TEXT, "identity_id": _TEXT, "similarity": _NUMBER, "decided_by": _TEXT},
    ),
    Table(
        "identities",
        PartsBy.NOTHING,
        {"identity_id": _TEXT, "number": _COUNT, "label": _TEXT, "state": _TEXT},
    ),
    Table("suppressed_regions", PartsBy.NOTHING, {"face_id": _TEXT}),
    Table(
        "near_copies",
        PartsBy.NOTHING,
        {"first_key": _TEXT, "second_key": _TEXT, "bits": _COUNT},
    ),
    Table(
        "failures",
        PartsBy.NOTHING,
        {
            "media_id": _TEXT,
            "reason": _TEXT,
            "attempts": _COUNT,
            "given_up_at": _TIME,
            "ignored_at": _TIME,
        },
    ),
    Table(
        "unanswered_updates",
        PartsBy.NOTHING,
        {"inbox_id": _COUNT, "chat_no": _COUNT, "change": _TEXT, "created_at": _TIME},
    ),
)
