"""People become topics of a hub: what should be there, what is, and the way between.

``records`` holds the vocabulary and the port to Telegram. Import from here.
"""

from archive.publishing.records import (
    CopyRefused,
    HubGateway,
    HubRights,
    Post,
    PostMethod,
    TopicInfo,
)

__all__ = ["CopyRefused", "HubGateway", "HubRights", "Post", "PostMethod", "TopicInfo"]
