"""What the demo came to, in tables, and where to look next."""

from dataclasses import dataclass

from cli.output import Row
from resources.toolbox import Toolbox
from telegram_sandbox import Sandbox, ThreadedSandbox


@dataclass(frozen=True, slots=True)
class Summary:
    """The demo's outcome.

    Attributes:
        tables: Title and rows of each.
        next_steps: Sentences for a newcomer.
    """

    tables: tuple[tuple[str, list[Row]], ...]
    next_steps: tuple[str, ...]


def summarise(toolbox: Toolbox, telegram: ThreadedSandbox, seconds: float) -> Summary:
    """Read the outcome from the archive, and the topics from the hub itself.

    Args:
        toolbox: Of the demo's installation.
        telegram: Asked what really arrived in the hub.
        seconds: How long the demo took.
    """
    totals = toolbox.overview.totals()
    (hub,) = toolbox.hubs()
    topics = telegram.call(lambda sandbox: _topics(sandbox, hub.chat.chat_id))
    model = toolbox.engine_spec.model_name
    people: list[Row] = [
        {
            "person": person.identity.title,
            "faces": person.faces,
            "photos_and_videos": person.contents,
            "first_seen": person.first_seen.date(),
            "last_seen": person.last_seen.date(),
            "posts_in_topic": topics.get(person.identity.title, 0),
        }
        for person in toolbox.people.people()
    ]
    stages: list[Row] = [
        {"stage": each.stage, "runs": each.runs, "items": each.items, "seconds": each.seconds}
        for each in toolbox.overview.stage_times()
    ]
    outcome: list[Row] = [
        {
            "messages": totals.messages,
            "media": totals.media,
            "contents": totals.contents,
            "faces": totals.faces,
            "people": totals.identities,
            "topics": len(topics),
            "posts": sum(topics.values()),
            "seconds": seconds,
            "model": model,
        }
    ]
    return Summary(
        (("People", people), ("Time per stage", stages), ("The demo", outcome)),
        (
            "Look at the asset graph of this run: make demo ARGS=--stay",
            "Use photos of your own: make demo ARGS='--faces FOLDER'",
            "Your own chat: .venv/bin/face-archive init – five steps, see README.md",
        ),
    )


def _topics(sandbox: Sandbox, hub_id: int) -> dict[str, int]:
    """Count the posts in each topic of a hub, General left out."""
    chat = sandbox.state.chat(hub_id)
    titles = {topic.id: topic.title for topic in chat.topics if topic.id != 1}
    posts = [message.topic_id for message in chat.messages if message.media is not None]
    return {title: posts.count(topic_id) for topic_id, title in titles.items()}
