from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from archive.publishing.captions import MAX_UNITS, caption, names_only
from archive.publishing.visible_text import shortened, utf16_units
from archive.records import ChatKind
from tests.unit.publishing_world import chat, source

HOSTILE = st.one_of(
    st.text(max_size=300),
    st.text(alphabet="<>&\"'/\u202e\u200d\n👨‍👩‍👧 a", max_size=300),
    st.sampled_from(["👨‍👩‍👧" * 100, "</a><b>", "&amp;" * 90, "\n" * 200, "", "𝕬" * 255]),
)


class Parsed(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.text, self.tags, self.links = "", [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name == "href"]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_source_is_named_by_its_chat_and_day_and_linked() -> None:
    assert caption([source(31)]) == '<a href="https://t.me/c/1/31">Family · 2026-02-01</a>'


def test_a_source_in_a_forum_is_named_by_its_topic_too() -> None:
    holiday = replace(source(31), topic_title="Holiday <3")
    assert caption([holiday]).endswith(">Family › Holiday &lt;3 · 2026-02-01</a>")
    assert caption([replace(holiday, topic_title=" ")]) == caption([source(31)])


def test_a_source_in_a_public_chat_is_linked_by_its_username() -> None:
    assert "https://t.me/wedding/31" in caption([source(31, chat(username="wedding"))])


def test_a_private_chat_has_no_link_but_its_name_and_the_date() -> None:
    assert caption([source(31, chat(title="Mia", kind=ChatKind.PRIVATE))]) == "Mia · 2026-02-01"


def test_the_oldest_source_comes_first_whatever_the_order_given() -> None:
    sources = [source(3), source(1), source(2)]
    lines = caption(sources).splitlines()
    assert [line.split('"')[1].rpartition("/")[2] for line in lines] == ["1", "2", "3"]
    assert caption(sources) == caption(reversed(sources))


def test_a_video_says_when_the_person_appears() -> None:
    assert caption([source(1)], 65.4).startswith("▶ 01:05\n")
    assert caption([source(1)], 3_700.0).startswith("▶ 1:01:40\n")


def test_a_link_into_a_video_leads_to_the_moment() -> None:
    assert "https://t.me/c/1/31?t=65" in caption([source(31)], 65.4)
    assert "?t=" not in caption([source(31)])
    assert "?t=" not in caption([source(31, chat(kind=ChatKind.PRIVATE))], 65.4)


def test_ten_sources_are_linked_and_the_others_counted() -> None:
    lines = caption([source(number) for number in range(1, 14)]).splitlines()
    assert len(lines) == 11
    assert lines[-1] == "and 3 more"


def test_a_message_is_named_once() -> None:
    assert caption([source(1), source(1)]) == caption([source(1)])


def test_a_chat_without_a_readable_name_is_called_so() -> None:
    assert "a chat without a name · " in caption([source(1, chat(title="\u202e\u200b "))])


@given(
    titles=st.lists(st.tuples(HOSTILE, st.none() | HOSTILE), min_size=1, max_size=25),
    seconds=st.none() | st.floats(0, 1e6),
)
def test_a_caption_fits_and_is_well_formed_whatever_the_chats_are_called(
    titles: list[tuple[str, str | None]], seconds: float | None
) -> None:
    sources = [
        replace(source(number, chat(number, title)), topic_title=topic)
        for number, (title, topic) in enumerate(titles, 1)
    ]
    html = caption(sources, seconds)
    parsed = Parsed(html)
    assert utf16_units(parsed.text) <= MAX_UNITS
    assert parsed.tags == ["a"] * min(10, len(titles))
    assert all(link.startswith("https://t.me/c/") for link in parsed.links)
    assert len(html.split("\n")) == (seconds is not None) + min(11, len(titles))
    html.encode()


@given(titles=st.lists(HOSTILE, min_size=1, max_size=12), seconds=st.none() | st.floats(0, 1e6))
def test_a_stored_caption_names_only_the_sources_it_was_made_of(
    titles: list[str], seconds: float | None
) -> None:
    sources = [source(number, chat(number, title)) for number, title in enumerate(titles, 1)]
    assert names_only(caption(sources, seconds), sources)
    assert not names_only(caption(sources, seconds), sources[1:])


@given(text=HOSTILE, limit=st.integers(2, 128))
def test_a_shortened_text_is_one_line_within_the_limit(text: str, limit: int) -> None:
    short = shortened(text, limit)
    assert utf16_units(short) <= limit
    assert short == short.strip()
    assert len(short.splitlines()) <= 1
    assert shortened(short, limit) == short


def test_what_fits_is_left_as_it_is() -> None:
    assert shortened("Grandma Ilse 👵", 128) == "Grandma Ilse 👵"
