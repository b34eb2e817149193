"""What was found to differ in a hub becomes what the outbox says of it."""

from __future__ import annotations

from archive.publishing.drift import Drift, Finding
from archive.publishing.reading_ports import ReadBackStore
from archive.publishing.records import HubNo


def record(store: ReadBackStore, hub_no: HubNo, finding: Finding) -> None:
    """Record one difference, so that the next publishing puts it right."""
    row, post = finding.row, finding.post
    if row is None:
        return
    identity_id = row.identity_id
    match finding.drift:
        case Drift.TOPIC_GONE if row.topic_id is not None:
            store.begin_topic_removal(hub_no, identity_id, row.topic_id)
            store.finish_topic_removal(hub_no, identity_id)
        case Drift.RENAMED | Drift.CLOSED | Drift.REOPENED:
            store.begin_topic_edit(hub_no, identity_id, title=None, closed=None)
        case Drift.SUMMARY_GONE:
            store.forget_summary(hub_no, identity_id)
        case Drift.SUMMARY_EDITED if row.summary is not None:
            # Whatever it says now is nobody's business here; it is to say this.
            store.begin_summary_edit(hub_no, identity_id, row.summary.text)
        case Drift.UNPINNED:
            store.note_unpinned(hub_no, identity_id)
        case Drift.POST_GONE if post is not None:
            store.begin_removals([post.publication_id])
            store.finish_removals([post.publication_id])
        case Drift.POST_EDITED if post is not None:
            store.begin_caption(post.publication_id, post.caption)
        case Drift.POST_MOVED | Drift.POST_REPLACED if post is not None:
            # It goes, and is posted anew where it is wanted.
            store.begin_removals([post.publication_id])
