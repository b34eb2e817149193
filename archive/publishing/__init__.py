"""People become topics of a hub: what should be there, what is, and the way between.

In the order of the work: ``state`` holds both sides of a hub, what is ``wanted`` there and what the
``outbox`` knows of it. ``planning`` compares them: who has a topic and what it says is ``desired``,
one topic ``comparing`` (with ``near_copies`` and ``captions``), what leaves it ``removing``, and
the outcome ``operations``. Where there are several hubs, ``seating`` says who belongs into which,
and ``each_hub`` publishes to one after another. Questions about faces (``doubts``) are one more
topic, filled by ``reviewing``.
``publish`` carries a plan out, ``performing`` does one operation of it: ``keeping`` topics,
``telling`` summaries, ``sending`` posts and ``amending`` them (at a ``pace``, with the ``rights``
checked first, on a ``board`` of what is where). ``reading_back`` looks whether what was written
still is there; what differs is ``drift``, becomes rows by ``recording``, and what was said
meanwhile is ``overhearing``'s. ``records``, ``ports`` and ``reading_ports`` are what all of it asks
of Telegram and of the store. Import from here.
"""

from archive.publishing.adopting import AdoptingStore, adopt, remove_strays
from archive.publishing.desired import Policy
from archive.publishing.drift import Drift, Finding, SeenMessage
from archive.publishing.each_hub import HubRun, publish_each
from archive.publishing.operations import OpenTopic, Operation, PostContent
from archive.publishing.outcomes import Outcome
from archive.publishing.pace import BudgetPace, Pace, no_pace
from archive.publishing.planning import Plan, plan
from archive.publishing.ports import PublishingStore
from archive.publishing.publish import PublishOptions, PublishResult, publish
from archive.publishing.reading_back import ReadBackOptions, ReadBackResult, read_back
from archive.publishing.reading_ports import HubReading, ReadBackStore, RemarkKeeper
from archive.publishing.records import (
    ALL_OTHERS,
    CopyRefused,
    Hub,
    HubGateway,
    HubGone,
    HubNo,
    HubRights,
    HubRule,
    HubState,
    MessageStuck,
    Post,
    PostMethod,
    TopicGone,
)
from archive.publishing.rights import HubBlocked, require_hub_rights, require_usable, rights_in

__all__ = [
    "ALL_OTHERS",
    "AdoptingStore",
    "BudgetPace",
    "CopyRefused",
    "Drift",
    "Finding",
    "Hub",
    "HubBlocked",
    "HubGateway",
    "HubGone",
    "HubNo",
    "HubReading",
    "HubRights",
    "HubRule",
    "HubRun",
    "HubState",
    "MessageStuck",
    "OpenTopic",
    "Operation",
    "Outcome",
    "Pace",
    "Plan",
    "Policy",
    "Post",
    "PostContent",
    "PostMethod",
    "PublishOptions",
    "PublishResult",
    "PublishingStore",
    "ReadBackOptions",
    "ReadBackResult",
    "ReadBackStore",
    "RemarkKeeper",
    "SeenMessage",
    "TopicGone",
    "adopt",
    "no_pace",
    "plan",
    "publish",
    "publish_each",
    "read_back",
    "remove_strays",
    "require_hub_rights",
    "require_usable",
    "rights_in",
]
