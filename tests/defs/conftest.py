"""Real installations, for the tests of this folder only: they bring Dagster with them."""

from __future__ import annotations

import random
from collections.abc import Iterator

import dagster as dg
import pytest

from cli.demo.photos import sample_photos
from cli.demo.scenario import PHONE, DemoWorld
from telegram_sandbox import Scenario
from tests.fixtures.installation import Install, Installation, install

__all__ = ["ephemeral", "family_world", "gone_through", "install", "opted_in"]

WINDOW_WIDTH = 10_000


@pytest.fixture
def ephemeral() -> Iterator[dg.DagsterInstance]:
    """A Dagster that forgets everything."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def opted_in(install: Install) -> Iterator[Installation]:
    """One chat of two windows, allowed and planned; nothing of it is read yet."""
    with install(family_world()) as installation:
        installation.set_up()
        yield installation


@pytest.fixture(scope="module")
def gone_through(install: Install) -> Iterator[Installation]:
    """The same, once everything is read, identified and published; one face is a person."""
    with install(family_world(), FACE_ARCHIVE_MIN_FACES="1") as installation:
        installation.materialize(installation.set_up())
        yield installation


def family_world() -> DemoWorld:
    """Build a chat with names of its own everywhere, and two portraits, a window apart."""
    photos = [photo.data for photo in sample_photos(random.Random(1), 1)]
    scenario = Scenario(seed=6)
    owner = scenario.user("Nora", "Lindqvist", phone=PHONE, username="nora_lindqvist")
    friend = scenario.user("Wilhelmina", "Quist", username="wilhelmina_q")
    chat = scenario.supergroup("Lindqvist family", owner=owner, members=[friend])
    chat.photo(owner, photos[1], caption="Boathouse at midsummer")
    chat.skip_ids(WINDOW_WIDTH)
    chat.document(friend, photos[2], file_name="hammock.jpg", mime_type="image/jpeg")
    return DemoWorld(scenario, (chat.id,))
