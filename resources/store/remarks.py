"""The repository of what is said in hubs: kept as it is heard, settled once.

Implements ``archive.heeding_ports.RemarkStore`` and ``archive.publishing.RemarkKeeper``; the
statements are in ``remarks_sql``. A remark is
settled in the transaction that writes what it leads to into the log of people; who has a say in a
hub is remembered as Telegram told it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from typing import Any, Final

from psycopg import Connection
from psycopg.rows import dict_row

from archive.heeding_ports import ACTOR, Fate, WaitingRemark
from archive.identity.events import EventKind, LoggedDecision
from archive.identity.rules import NEAR_COPY_BITS
from archive.ids import AccountId, ChatNo, DecisionId, FaceId, TopicId, UserId, new_random_id
from archive.publishing import Hub, HubNo
from archive.publishing.doubts import Doubt
from archive.records import Chat
from archive.remarks import Remark, RemarkKind
from resources.store import identity_events
from resources.store import remarks_sql as sql
from resources.store.chats import chat_of
from resources.store.corrections import CorrectionDesk
from resources.store.database import Database

# A run of the matcher may take minutes; the next tick finds the remark where it is.
_WAIT_SECONDS: Final = 5.0

# So many decisions back a last one is looked for.
_DECISIONS_BACK: Final = 50


def keep_remarks(connection: Connection, account_id: AccountId, remarks: Sequence[Remark]) -> None:
    """Store what was said in an account's hubs, each message once."""
    connection.execute(
        sql.KEEP,
        {
            "account_id": account_id,
            "chat_ids": [each.chat_id for each in remarks],
            "topic_ids": [each.topic_id for each in remarks],
            "message_ids": [each.message_id for each in remarks],
            "sender_ids": [each.sender_id for each in remarks],
            "kinds": [each.kind.value for each in remarks],
            "texts": [each.text for each in remarks],
            "reply_to_ids": [each.reply_to_id for each in remarks],
            "dates": [each.sent_at for each in remarks],
        },
    )


def give_up_remarks(connection: Connection, after: timedelta) -> None:
    """Forget what was said where Telegram has not named the admins for so long."""
    connection.execute(sql.GIVE_UP, {"after": after})


class RemarkStore:
    """What is said in hubs, in PostgreSQL.

    Args:
        database: A migrated archive database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def waiting(self, limit: int) -> Sequence[WaitingRemark]:
        """Return what nothing came of yet, in the order in which it was said."""
        with self._database.transaction() as connection:
            with connection.cursor(row_factory=dict_row) as cursor:
                rows = cursor.execute(sql.WAITING, (limit,)).fetchall()
            hubs = {row["chat_no"]: chat_of(connection, row["chat_no"]) for row in rows}
        return [_waiting(row, hubs[row["chat_no"]]) for row in rows]

    @contextmanager
    def settling(self, remark_id: int) -> Iterator[RemarkDesk | None]:
        """Take the store for deciding about one remark; ``None`` if somebody else settled it.

        Raises:
            Transient: Somebody else is deciding, or the database does not answer.
        """
        with identity_events.deciding(self._database, wait_seconds=_WAIT_SECONDS) as connection:
            with connection.cursor(row_factory=dict_row) as cursor:
                row = cursor.execute(sql.TAKE, (remark_id,)).fetchone()
            yield None if row is None else RemarkDesk(connection, remark_id, row)

    def fates(self, hub_no: HubNo) -> dict[str, int]:
        """Count what was said in a hub by what came of it; ``waiting`` for nothing yet."""
        with self._database.transaction() as connection:
            return dict(connection.execute(sql.FATES, {"hub_no": hub_no}).fetchall())

    def unheard(self, hub_no: HubNo, remarks: Sequence[Remark]) -> list[Remark]:
        """Return those that nobody heard yet and that are not too old to be heard."""
        values = {
            "hub_no": hub_no,
            "message_ids": [each.message_id for each in remarks],
            "dates": [each.sent_at for each in remarks],
        }
        with self._database.transaction() as connection:
            unheard = {row[0] for row in connection.execute(sql.UNHEARD, values)}
        return [each for each in remarks if each.message_id in unheard]

    def hear(self, hub: Hub, remarks: Sequence[Remark]) -> None:
        """Keep what was said in a hub, each message once."""
        with self._database.transaction() as connection:
            keep_remarks(connection, hub.chat.account_id, remarks)

    def titles_waiting(self, hub_no: HubNo) -> frozenset[tuple[TopicId, str]]:
        """Return the titles given in the app of which nothing came yet."""
        with self._database.transaction() as connection:
            rows = connection.execute(sql.TITLES_WAITING, {"hub_no": hub_no})
            return frozenset((TopicId(topic_id), title.strip()) for topic_id, title in rows)

    def unjudged(self, account_id: AccountId) -> list[Hub]:
        """Return the hubs whose admins must be asked for, each at most once a minute."""
        with self._database.transaction() as connection:
            found = connection.execute(sql.UNJUDGED, {"account_id": account_id}).fetchall()
            return [Hub(HubNo(no), chat_of(connection, ChatNo(chat_no))) for no, chat_no in found]

    def save_admins(self, hub_no: HubNo, user_ids: Collection[UserId]) -> None:
        """Remember who has a say in a hub, as of now."""
        values = {"hub_no": hub_no, "user_ids": sorted(user_ids)}
        with self._database.transaction() as connection:
            connection.execute(sql.SAVE_ADMINS, values)


class RemarkDesk(CorrectionDesk):
    """The tables of people, ours alone, and one remark.

    Args:
        connection: Holds the lock of deciding.
        remark_id: The remark.
        row: What is stored of it.
    """

    def __init__(self, connection: Connection, remark_id: int, row: dict[str, Any]) -> None:
        super().__init__(connection)
        self._values = {**row, "remark_id": remark_id}

    def note_title(self) -> None:
        """Record that the topic has the title said, unless it was given a later one."""
        self._connection.execute(sql.NOTE_TITLE, self._values)

    def is_echo(self) -> bool:
        """Whether it is something that we said; a title that we gave is claimed thereby."""
        if self._connection.execute(sql.CLAIM_TITLE, self._values).rowcount:
            return True
        row = self._connection.execute(sql.IS_OURS, self._values).fetchone()
        return bool(row and row[0])

    def is_overtaken(self, *, by_answers: bool) -> bool:
        """Whether what was said later about the same person came to a decision already."""
        values = {**self._values, "by_answers": by_answers}
        row = self._connection.execute(sql.IS_OVERTAKEN, values).fetchone()
        return bool(row and row[0])

    def faces_in_post(self) -> Sequence[FaceId] | None:
        """Give the person's faces in the post that is answered, and in near copies of it."""
        post = self._connection.execute(sql.POST, self._values).fetchone()
        if post is None:
            return None
        values = {**self._values, "content_key": post[0], "bits": NEAR_COPY_BITS}
        return [FaceId(face_id) for (face_id,) in self._connection.execute(sql.FACES, values)]

    def last_said(self) -> DecisionId | None:
        """Give what was decided last from within Telegram about the topic's person, and holds."""
        latest = identity_events.latest_decisions(
            self._connection,
            identity_id=self._values["identity_id"],
            face_id=None,
            limit=_DECISIONS_BACK,
        )
        return _last_said(latest)

    def doubt_in_post(self) -> Doubt | None:
        """Give the question that is answered; ``None`` where none is."""
        row = self._connection.execute(sql.DOUBT, self._values).fetchone()
        return None if row is None else Doubt(*row)

    def last_said_at(self, place: str) -> DecisionId | None:
        """Give what was decided last by what was said at a place, and holds."""
        return _last_said(
            identity_events.decisions_for(self._connection, cause=place, limit=_DECISIONS_BACK)
        )

    def trying(self) -> AbstractContextManager[object]:
        """Take back what the body writes if it raises; what was written before stays."""
        return self._connection.transaction()

    def settle(self, fate: Fate, answer: str | None) -> None:
        """Record what became of it, forget its words, and leave an answer to be sent."""
        self._connection.execute(sql.SETTLE, {**self._values, "fate": fate.value})
        if answer is not None:
            values = {**self._values, "random_id": new_random_id(), "answer": answer}
            self._connection.execute(sql.ANSWER, values)


def _last_said(latest: Sequence[LoggedDecision]) -> DecisionId | None:
    """Give the first that was decided from within Telegram, and holds."""
    return next(
        (
            each.decision.decision_id
            for each in latest
            if each.decision.actor.startswith(ACTOR)
            and each.decision.kind is not EventKind.UNDONE
            and each.undone_by is None
        ),
        None,
    )


def _waiting(row: dict[str, Any], hub: Chat) -> WaitingRemark:
    remark = Remark(
        chat_id=hub.chat_id,
        topic_id=row["topic_id"],
        message_id=row["message_id"],
        sender_id=row["sender_id"],
        kind=RemarkKind(row["kind"]),
        text=row["text"],
        sent_at=row["sent_at"],
        reply_to_id=row["reply_to_id"],
    )
    return WaitingRemark(
        remark_id=row["remark_id"],
        hub_no=row["hub_no"],
        hub=hub,
        identity_id=row["identity_id"],
        remark=remark,
        is_own=row["is_own"],
        may=row["may"],
    )
