from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.chats import (
    Allowance,
    InviteHash,
    MarkedId,
    Reference,
    Username,
    allow,
    deny,
    find_chat,
    message_link,
    parse_message_link,
    parse_reference,
)
from archive.errors import Permanent
from archive.ids import AccountId, ChatId, ChatNo, MessageId, TopicId
from archive.records import Chat, ChatKind, Switches

GROUP = Chat(
    ChatNo(77), ChatId(-1_001_234_567_890), AccountId(1), ChatKind.SUPERGROUP, "The Family"
)
EVERYTHING = Switches(archive=True, faces=True, publish=True)
CHANNEL = MarkedId(ChatId(-1_000_000_123_456))
INVITE = InviteHash("AAAAAEkk2WdoDrB4-Q8-gg")


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("@durov", Username("durov")),
        ("durov", Username("durov")),
        (" durov\n", Username("durov")),
        ("https://t.me/durov", Username("durov")),
        ("http://t.me/durov", Username("durov")),
        ("t.me/durov/123", Username("durov")),
        ("t.me/durov/5/123?single&comment=4", Username("durov")),
        ("telegram.me/durov", Username("durov")),
        ("https://telegram.dog/durov?start=x", Username("durov")),
        ("https://www.t.me/durov", Username("durov")),
        ("https://durov.t.me/12", Username("durov")),
        ("https://t.me/s/durov/123", Username("durov")),
        ("https://t.me/boost/durov", Username("durov")),
        ("tg://resolve?domain=durov&post=3", Username("durov")),
        ("tg:resolve?domain=durov", Username("durov")),
        ("-1000000123456", CHANNEL),
        ("−1000000123456", CHANNEL),
        ("4242", MarkedId(ChatId(4242))),
        ("-4242", MarkedId(ChatId(-4242))),
        ("https://t.me/c/123456/7", CHANNEL),
        ("t.me/c/123456/5/7", CHANNEL),
        ("t.me/c/123456", CHANNEL),
        ("tg://privatepost?channel=123456&post=7", CHANNEL),
        ("tg://openmessage?user_id=4242", MarkedId(ChatId(4242))),
        ("tg://openmessage?chat_id=4242&message_id=1", MarkedId(ChatId(-4242))),
        ("tg://user?id=4242", MarkedId(ChatId(4242))),
        ("https://t.me/+AAAAAEkk2WdoDrB4-Q8-gg", INVITE),
        ("t.me/joinchat/AAAAAEkk2WdoDrB4-Q8-gg", INVITE),
        ("https://telegram.me/joinchat/AAAAAEkk2WdoDrB4-Q8-gg?x=1", INVITE),
        ("tg://join?invite=AAAAAEkk2WdoDrB4-Q8-gg", INVITE),
    ],
)
def test_every_form_in_which_a_person_names_a_chat_is_read(text: str, reference: Reference) -> None:
    assert parse_reference(text) == reference


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@",
        "0",
        "x",
        "two words",
        "https://example.com/durov",
        "https://t.me/",
        "https://t.me/+4912345678",
        "https://t.me/share/url?url=x",
        "https://t.me/addstickers/Animals",
        "https://t.me/c/abc/7",
        "tg://resolve?phone=4912345678",
        "tg://settings",
    ],
)
def test_what_names_no_chat_is_refused_with_the_forms_that_do(text: str) -> None:
    with pytest.raises(Permanent, match=r"does not name a chat\. Use @name"):
        parse_reference(text)


@given(st.text())
def test_any_text_is_a_reference_or_a_clear_refusal(text: str) -> None:
    for form in (text, f"t.me/{text}", f"tg://{text}", f"https://{text}.t.me"):
        try:
            parse_reference(form)
        except Permanent:
            continue


@pytest.mark.parametrize(
    ("chat", "link"),
    [
        (GROUP, "https://t.me/c/1234567890/5"),
        (replace(GROUP, username="family"), "https://t.me/family/5"),
        (replace(GROUP, kind=ChatKind.CHANNEL), "https://t.me/c/1234567890/5"),
        (replace(GROUP, kind=ChatKind.PRIVATE, chat_id=ChatId(4242), username="ann"), None),
        (replace(GROUP, kind=ChatKind.BASIC_GROUP, chat_id=ChatId(-4242)), None),
    ],
)
def test_a_message_has_a_link_where_telegram_has_one(chat: Chat, link: str | None) -> None:
    assert message_link(chat, MessageId(5)) == link


def test_a_link_into_a_topic_names_the_topic() -> None:
    assert message_link(GROUP, MessageId(5), TopicId(3)) == "https://t.me/c/1234567890/3/5"


@given(st.integers(1, 10**11))
def test_a_link_leads_back_to_its_chat(bare_id: int) -> None:
    chat = replace(GROUP, chat_id=ChatId(-1_000_000_000_000 - bare_id))

    assert parse_reference(message_link(chat, MessageId(5)) or "") == MarkedId(chat.chat_id)


class Drawer:
    """Keeps what it was told."""

    def __init__(self) -> None:
        self.told: Allowance | None = None
        self.again = False
        self.drop_faces = False

    def set_allowance(
        self, chat_no: ChatNo, allowance: Allowance, *, again: bool, drop_faces: bool = False
    ) -> Chat:
        self.told, self.again, self.drop_faces = allowance, again, drop_faces
        return replace(GROUP, switches=allowance.switches)


@pytest.mark.parametrize(
    ("chat", "wanted", "reason"),
    [
        (GROUP, Switches(faces=True), "allow --archive as well"),
        (GROUP, Switches(archive=True, publish=True), "allow --faces as well"),
        (replace(GROUP, is_hub=True), Switches(archive=True), "never a source"),
        (replace(GROUP, noforwards=True), EVERYTHING, "never published"),
    ],
)
def test_what_the_rules_forbid_is_refused_with_the_way_out(
    chat: Chat, wanted: Switches, reason: str
) -> None:
    drawer = Drawer()

    with pytest.raises(Permanent, match=reason):
        allow(chat, wanted, drawer)  # type: ignore[arg-type]
    assert drawer.told is None


def test_a_chat_that_forbids_copying_may_be_archived_and_searched() -> None:
    wanted = Switches(archive=True, faces=True)

    chat = allow(replace(GROUP, noforwards=True), wanted, Drawer())  # type: ignore[arg-type]

    assert chat.switches == wanted


@pytest.mark.parametrize(
    ("off", "left"),
    [
        (Switches(archive=True), Switches()),
        (Switches(faces=True), Switches(archive=True)),
        (Switches(publish=True), Switches(archive=True, faces=True)),
        (Switches(), EVERYTHING),
    ],
)
def test_what_is_switched_off_takes_with_it_what_cannot_be_without_it(
    off: Switches, left: Switches
) -> None:
    chat = deny(replace(GROUP, switches=EVERYTHING), off, Drawer())  # type: ignore[arg-type]

    assert chat.switches == left


@pytest.mark.parametrize(
    ("off", "dropped"),
    [
        (Switches(publish=True), False),
        (Switches(faces=True), True),
        (Switches(archive=True), True),
    ],
)
def test_what_was_made_of_faces_is_dropped_with_the_switch_that_allowed_it(
    off: Switches, *, dropped: bool
) -> None:
    drawer = Drawer()

    deny(replace(GROUP, switches=EVERYTHING), off, drawer)  # type: ignore[arg-type]

    assert drawer.drop_faces is dropped


OTHER = replace(GROUP, chat_no=ChatNo(88), chat_id=ChatId(5), title="Family two", username="fam2")


@pytest.mark.parametrize("text", ["88", "5", "@FAM2", "t.me/fam2", "family TWO", "two"])
def test_a_chat_is_found_by_whatever_names_only_it(text: str) -> None:
    assert find_chat([GROUP, OTHER], text) is OTHER


@pytest.mark.parametrize(("text", "reason"), [("family", "means 2 chats"), ("aunt", "No chat")])
def test_a_name_for_none_or_several_is_refused(text: str, reason: str) -> None:
    with pytest.raises(Permanent, match=reason):
        find_chat([GROUP, OTHER], text)


@pytest.mark.parametrize(
    ("link", "found"),
    [
        ("https://t.me/c/1234567890/5", ("-1001234567890", 5)),
        ("t.me/c/1234567890/3/5", ("-1001234567890", 5)),
        ("https://t.me/family_demo/12?single", ("@family_demo", 12)),
    ],
)
def test_a_link_to_a_message_names_its_chat_and_the_message(
    link: str, found: tuple[str, int]
) -> None:
    assert parse_message_link(link) == found


@pytest.mark.parametrize(
    "text", ["https://t.me/c/1234567890", "https://t.me/family_demo", "family_demo", "5", ""]
)
def test_what_links_to_no_message_is_refused(text: str) -> None:
    with pytest.raises(Permanent, match="no link to a message"):
        parse_message_link(text)
