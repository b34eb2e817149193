"""`face-archive redo`: have what was made of a message, a window or a chat made again.

Reads what a person means and asks. Which rows open is `archive.redoing`'s; the windows come by
themselves, as after `failures retry`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Final

import typer

from archive.chats import find_chat
from archive.chats.references import parse_message_link
from archive.errors import Permanent
from archive.ledger import PASS_PRODUCTS, Product
from archive.records import Chat
from archive.redoing import RedoCost, RedoPlan, made_together, plan_redo
from archive.windows import Window, parse_key
from cli.context import open_toolbox
from cli.output import emit, say
from cli.windows import require_archived

if TYPE_CHECKING:
    from resources.toolbox import Toolbox

_WINDOW: Final = re.compile(r"[0-9]+_[0-9]+_[0-9]+")


def redo_command(
    reference: Annotated[
        str,
        typer.Argument(
            metavar="LINK|CHAT|WINDOW",
            help="A link to a message, a chat, or the key of a window as Dagster shows it.",
        ),
    ],
    *,
    what: Annotated[str, typer.Option(help="Which products, with commas between them.")] = ",".join(
        PASS_PRODUCTS
    ),
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what it would take; open nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Have the products of a message, a chat or a window made again, whoever made them.

    Shows first how many files that is, how much is downloaded again at most, and how long it takes
    at the pace of the last runs. People keep their faces, names and decisions: a face that is found
    again is the same one, and one about which something was decided stays even where it is not.
    Faces and embeddings come together, and a fingerprint with everything. What failed is not
    touched (`failures retry`).

    For example:

    - `face-archive redo https://t.me/c/1234567890/5 --yes`
    - `face-archive redo @name --what thumbnails --dry-run`
    - `face-archive redo 3_0000000001_0000010000 --what faces,embeddings`
    """
    products = made_together(_products(what))
    with open_toolbox() as toolbox:
        chat, windows = _meant(toolbox, reference)
        require_archived(chat)
        limits = toolbox.media_pass_options.limits

        def plan(window: Window) -> RedoPlan:
            return plan_redo(toolbox.media.survey(window), products, limits)

        cost = sum((plan(each).cost for each in windows), RedoCost())
        row = _row(toolbox, chat, cost)
        if not cost.files:
            say("Nothing of it was made yet, so there is nothing to make again.")
            return
        if dry_run:
            emit([row], title="Would be made again")
            return
        if not yes:
            emit([row], title="To be made again", beside=True)
            typer.confirm("Make it again?", default=False, abort=True, err=True)
        # Planned anew: a chat's rows are too many to keep, and some were done meanwhile.
        for window in windows:
            toolbox.media.reopen(plan(window).changes)
    emit([row], title="Is made again")
    say("The windows come by themselves; at once: `face-archive backfill CHAT`.")


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("redo")(redo_command)


def _products(what: str) -> list[Product]:
    """Read which products are meant.

    Raises:
        typer.BadParameter: One of them is none that a pass makes.
    """
    names = [name.strip() for name in what.split(",")]
    if unknown := [name for name in names if name not in set(PASS_PRODUCTS)]:
        raise typer.BadParameter(f"--what: {unknown[0]!r} is none of {', '.join(PASS_PRODUCTS)}")
    return [Product(name) for name in names]


def _meant(toolbox: Toolbox, reference: str) -> tuple[Chat, Sequence[Window]]:
    """Find the chat and the ranges of its messages that a person means.

    Raises:
        Permanent: It is no chat, message or window that the archive knows.
    """
    if _WINDOW.fullmatch(reference):
        window = parse_key(reference)
        chat = toolbox.chats.get(window.chat_no)
        if window not in _windows(toolbox, chat):
            raise Permanent(f"{reference} is not a window of {chat.title!r}.")
        return chat, [window]
    chats = toolbox.chats.list()
    with suppress(Permanent):
        text, message_id = parse_message_link(reference)
        chat = find_chat(chats, text)
        return chat, [Window(chat.chat_no, message_id, message_id)]
    chat = find_chat(chats, reference)
    return chat, _windows(toolbox, chat)


def _windows(toolbox: Toolbox, chat: Chat) -> list[Window]:
    return [row.window for row in toolbox.chats.windows(chat.chat_no)]


def _row(toolbox: Toolbox, chat: Chat, cost: RedoCost) -> dict[str, object]:
    rates = toolbox.costs.rates(chat.account_id, in_flight=1)
    return {
        "chat_no": chat.chat_no,
        "title": chat.title,
        **cost.shown(rates.media_per_second),
    }
