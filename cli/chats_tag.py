"""`face-archive chats tag`: words for chats, which the rule of a hub can name.

Shows and asks; what a tag does is `archive.publishing.seating`.
"""

from __future__ import annotations

import re
from typing import Annotated

import typer

from cli.context import open_toolbox
from cli.output import emit

_TAG = re.compile(r"[\w-]{1,32}")


def tag_command(
    chat: Annotated[
        str, typer.Argument(metavar="CHAT", help="Number, @name, marked id, link or title.")
    ],
    tags: Annotated[
        list[str] | None, typer.Argument(metavar="TAG…", help="All of its tags; none takes them.")
    ] = None,
) -> None:
    """Give a chat tags, in place of those it has; `hub add --tag` lets a hub take such chats.

    For example:

    - `face-archive chats tag @choir music friends`
    - `face-archive chats tag -1001234567890 work`
    - `face-archive chats tag @choir`
    """
    words = sorted({tag.removeprefix("#") for tag in tags or ()})
    if wrong := [word for word in words if not _TAG.fullmatch(word)]:
        raise typer.BadParameter(f"{wrong[0]!r}: letters, digits, - and _, at most 32 of them.")
    with open_toolbox() as toolbox:
        found = toolbox.chats.find(chat)
        toolbox.topics.tag(found.chat_no, words)
    emit([{"chat_no": found.chat_no, "title": found.title, "tags": words}], title="Tagged")
