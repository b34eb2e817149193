"""Where settings come from: names and texts out of a `.env` and of the process environment.

Here live the naming rule, the reading of the file and the refusal of names that are no setting.
What the settings are, and what a value may be, lives in `resources.settings`.
"""

import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from dotenv.parser import parse_stream
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

PREFIX: Final = "FACE_ARCHIVE_"
PLAIN_NAMES: Final = frozenset(
    {
        "TG_API_ID",
        "TG_API_HASH",
        "HUB_GROUP_ID",
        "SIMILARITY_THRESHOLD",
        "MIN_QUALITY_THRESHOLD",
        "MAX_MEDIA_SIZE_MB",
        "VIDEO_FRAME_RATE",
        "LOG_LEVEL",
    }
)
"""Settings that keep the names people know them by; all others begin with `PREFIX`."""


class SettingsError(ValueError):
    """What is set cannot be used; the text says what to change, and holds no secret.

    Attributes:
        problems: One readable sentence a problem, in the order of the settings.
    """

    def __init__(self, problems: Iterable[str]) -> None:
        """Keep the problems and join them, one a line."""
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


def env_name(attribute: str) -> str:
    """Return the name in the environment of the setting with this attribute name."""
    plain = attribute.upper()
    return plain if plain in PLAIN_NAMES else PREFIX + plain


class NamedValuesSource(PydanticBaseSettingsSource):
    """Settings by their full names from a mapping, empty values being unset.

    pydantic-settings' own sources never look at names that are no setting in the environment, so
    a misspelt one would silently leave the default in force.
    """

    def __init__(
        self, settings_cls: type[BaseSettings], place: str, values: Mapping[str, str]
    ) -> None:
        """Take the mapping as it is now; `place` names it in messages."""
        super().__init__(settings_cls)
        self._place = place
        self._values = dict(values)
        self._names = {env_name(field): field for field in settings_cls.model_fields}

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Return the text of one setting or None, its key, and that it is not JSON."""
        text = self._values.get(env_name(field_name), "").strip()
        return text or None, field_name, False

    def __call__(self) -> dict[str, Any]:
        """Return the texts of the settings that are set, by attribute name."""
        found = {}
        for name, field in self.settings_cls.model_fields.items():
            value, key, _ = self.get_field_value(field, name)
            if value is not None:
                found[key] = value
        return found

    def unknown_names(self) -> list[str]:
        """Return one sentence for each name that claims to be ours and is no setting."""
        return [
            f"{name} (in {self._place}) is no setting of this program.{self._suggestion(name)}"
            for name in self._values
            if name.upper().startswith(PREFIX) and name not in self._names
        ]

    def _suggestion(self, name: str) -> str:
        candidates = {known.removeprefix(PREFIX): known for known in self._names}
        close = difflib.get_close_matches(name.upper().removeprefix(PREFIX), candidates, n=1)
        hint = f" Did you mean {candidates[close[0]]}?" if close else ""
        return f"{hint} `face-archive settings --example` lists all of them."


def read_env_file(env_file: Path | None) -> dict[str, str]:
    """Return the pairs of a `.env`; values are taken literally, `${…}` is not expanded."""
    if env_file is None or not env_file.exists():
        return {}
    try:
        with env_file.open(encoding="utf-8") as stream:
            bindings = list(parse_stream(stream))
    except (OSError, UnicodeDecodeError) as exc:
        raise SettingsError([f"{env_file} cannot be read as UTF-8 text: {exc}"]) from exc
    # A line that cannot be parsed may be another program's; one that names us must not be lost.
    broken = [
        f"{env_file}, line {binding.original.line}: cannot be read. Write NAME=value, and close "
        "every quote."
        for binding in bindings
        if binding.error and PREFIX in binding.original.string.upper()
    ]
    if broken:
        raise SettingsError(broken)
    return {binding.key: binding.value or "" for binding in bindings if binding.key}
