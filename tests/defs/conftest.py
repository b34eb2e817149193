"""Real installations, for the tests of this folder only: they bring Dagster with them."""

from tests.fixtures.installation import install

__all__ = ["install"]
