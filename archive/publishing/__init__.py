"""People become topics of a hub: what should be there, what is, and the way between.

In the order of the work: ``state`` holds both sides of a hub, ``planning`` compares them (with
``near_copies`` and ``captions``), ``publish`` carries a plan out, ``sending`` does one operation
of it (at a ``pace``, with the ``rights`` checked first). ``records`` and ``ports`` are what all
of it asks of Telegram and of the store. Import from here.
"""

from archive.publishing.pace import MinutePace, Pace, no_pace
from archive.publishing.planning import OpenTopic, Operation, Plan, PostContent, plan
from archive.publishing.ports import PublishingStore
from archive.publishing.publish import PublishOptions, PublishResult, publish
from archive.publishing.records import (
    CopyRefused,
    Hub,
    HubGateway,
    HubNo,
    HubRights,
    Post,
    PostMethod,
    TopicInfo,
)
from archive.publishing.rights import HubBlocked, require_hub_rights

__all__ = [
    "CopyRefused",
    "Hub",
    "HubBlocked",
    "HubGateway",
    "HubNo",
    "HubRights",
    "MinutePace",
    "OpenTopic",
    "Operation",
    "Pace",
    "Plan",
    "Post",
    "PostContent",
    "PostMethod",
    "PublishOptions",
    "PublishResult",
    "PublishingStore",
    "TopicInfo",
    "no_pace",
    "plan",
    "publish",
    "require_hub_rights",
]
