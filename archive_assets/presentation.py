"""What Dagster shows of an asset besides its sentence: who answers for it, columns, pictures.

Owners and columns are put on every asset in one place, so that none goes without. The columns are
those that matter to somebody who looks at the graph; all are in `resources/store/migrations`.
"""

from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import dagster as dg

OWNER = "team:archive"

# Where Dagster looks for the columns and the table of an asset.
COLUMN_SCHEMA = "dagster/column_schema"
TABLE_NAME = "dagster/table_name"


@dataclass(frozen=True, slots=True)
class Table:
    """The table of PostgreSQL that an asset fills.

    Attributes:
        columns: Type and meaning by name.
    """

    name: str
    columns: Mapping[str, tuple[str, str]]

    def metadata(self) -> dict[str, object]:
        """Give it as Dagster shows it."""
        columns = [
            dg.TableColumn(name, type, description=about)
            for name, (type, about) in self.columns.items()
        ]
        return {
            TABLE_NAME: f"archive.public.{self.name}",
            COLUMN_SCHEMA: dg.TableSchema(columns=columns),
        }


_EMBEDDINGS = Table(
    "embeddings",
    {
        "face_id": ("uuid", "The face."),
        "model": ("text", "Whose vector it is; those of two models are never compared."),
        "dims": ("integer", "How many numbers it has."),
        "embedding": ("USER-DEFINED", "The vector, of length 1."),
    },
)

TABLES: Mapping[str, Table] = {
    "chat_history": Table(
        "messages",
        {
            "chat_no": ("bigint", "The chat, by its random surrogate number."),
            "message_id": ("bigint", "Telegram's id, unique within the chat."),
            "kind": ("text", "text, media or service."),
            "sent_at": ("timestamp with time zone", "When it was sent."),
            "edited_at": ("timestamp with time zone", "When it was last edited."),
            "deleted_at": ("timestamp with time zone", "Since when it is known to be deleted."),
            "sender_id": ("bigint", "Marked id of whoever sent it."),
            "text": ("text", "What it says, or the caption of its media."),
            "grouped_id": ("bigint", "The album that it is a part of."),
            "topic_id": ("bigint", "The forum topic that it was sent to."),
            "raw": ("jsonb", "Everything that Telegram told of it."),
        },
    ),
    "media_fingerprints": Table(
        "blobs",
        {
            "content_key": ("text", "The content, however often it was sent."),
            "sha256": ("bytea", "Digest of the whole file, where it was read whole."),
            "phash": ("bigint", "Perceptual hash: near copies differ in few of its 64 bits."),
            "width": ("integer", "Pixels, upright."),
            "height": ("integer", "Pixels, upright."),
            "duration_seconds": ("double precision", "Of a video."),
            "size_bytes": ("bigint", "Of the file."),
            "exif": ("jsonb", "What the camera wrote into the file."),
            "taken_at": (
                "timestamp without time zone",
                "When, by the camera's clock.",
            ),
        },
    ),
    "extracted_faces": Table(
        "faces",
        {
            "face_id": ("uuid", "A random id."),
            "content_key": ("text", "The photo or video that shows it."),
            "frame_seconds": ("double precision", "When it is seen in a video; 0 in a photo."),
            "x1": ("real", "Left edge of its box, in pixels of the upright picture."),
            "y1": ("real", "Upper edge."),
            "x2": ("real", "Right edge."),
            "y2": ("real", "Lower edge."),
            "landmarks": ("ARRAY", "Eyes, nose and mouth, as the schema beside it says."),
            "quality": ("real", "From 0 to 1: how well it tells people apart."),
            "track": ("integer", "The same face through the frames of a video."),
            "model": ("text", "What found it."),
            "crop_key": ("text", "Where its picture is kept."),
        },
    ),
    "face_embeddings": _EMBEDDINGS,
    "migrated_embeddings": _EMBEDDINGS,
    "identity_clusters": Table(
        "assignments",
        {
            "face_id": ("uuid", "The face."),
            "identity_id": ("uuid", "Whose it is: a random id."),
            "similarity": ("real", "How like the person it was when it joined."),
            "decided_by": ("text", "matcher or person."),
            "created_at": ("timestamp with time zone", "Since when it belongs to them."),
        },
    ),
    "published_topics": Table(
        "publications",
        {
            "publication_id": ("uuid", "A random id."),
            "hub_no": ("bigint", "The hub, by its surrogate number."),
            "identity_id": ("uuid", "Whose topic it is in."),
            "content_key": ("text", "The photo or video that it shows."),
            "state": ("text", "planned, sending, sent, editing, removing or removed."),
            "message_id": ("bigint", "Its message in the hub, once sent."),
            "sent_at": ("timestamp with time zone", "When it was sent."),
        },
    ),
}


def picture(png: bytes, title: str) -> dg.MarkdownMetadataValue:
    """Show a picture where metadata is shown: some ten kilobytes, and nobody's name in it."""
    return dg.MetadataValue.md(f"![{title}](data:image/png;base64,{b64encode(png).decode()})")


def shown(assets: Iterable[dg.AssetsDefinition]) -> list[dg.AssetsDefinition]:
    """Put the owner on every asset, and its columns on each that is a table of PostgreSQL."""
    return list(dg.map_asset_specs(_shown, assets))


def _shown(spec: dg.AssetSpec) -> dg.AssetSpec:
    table = TABLES.get(spec.key.to_user_string())
    columns = table.metadata() if table else {}
    return spec.replace_attributes(owners=[OWNER], metadata={**spec.metadata, **columns})
