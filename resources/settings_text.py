"""Settings in words: what each one means, may be and is, for tables, messages and `.env.example`.

Here live the facts that a declaration carries beside type and default, and every text made from
them. No setting is named here, and no text ever holds a secret.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

import annotated_types
from pydantic import Field
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings

from resources.settings_source import env_name

Origin = Literal["default", ".env", "environment", "argument"]


@dataclass(frozen=True, slots=True)
class SettingRow:
    """One setting as shown to a person; `value` is masked where it is secret."""

    name: str
    value: str
    origin: Origin
    unit: str
    default: str
    allowed: str
    description: str
    section: str


def setting(
    default: Any = None,
    *,
    section: str,
    description: str,
    unit: str = "",
    default_text: str | None = None,
    **field_arguments: Any,
) -> Any:
    """Declare a setting; `default_text` is shown where the default is not a plain value."""
    extra: dict[str, Any] = {"section": section, "unit": unit, "default_text": default_text}
    if "default_factory" not in field_arguments:
        field_arguments["default"] = default
    return Field(description=description, json_schema_extra=extra, **field_arguments)


def env_example(settings_cls: type[BaseSettings]) -> str:
    """Return the text of `.env.example`: every setting, described, commented out."""
    lines = [
        "# Settings of Telegram Face Archive. Copy to `.env`, uncomment what you change.",
        "# The process environment wins over this file; an empty value means: not set.",
        "# Made by `face-archive settings --example`.",
    ]
    section = ""
    for name, field in settings_cls.model_fields.items():
        extra = _extra(field)
        if extra["section"] != section:
            section = extra["section"]
            lines += ["", f"### {section}"]
        facts = [f"default: {_default_text(field)}"]
        facts += [f"unit: {extra['unit']}"] if extra["unit"] else []
        facts += [f"allowed: {_allowed(field)}"] if _allowed(field) else []
        shown = "" if extra["default_text"] or field.default is None else _plain(field.default)
        lines += [
            "",
            f"# {field.description}",
            f"# ({'; '.join(facts)})",
            f"# {env_name(name)}={shown}",
        ]
    return "\n".join(lines) + "\n"


def describe_setting(
    settings: BaseSettings, attribute: str, origins: Mapping[str, Origin]
) -> SettingRow:
    """Return one setting as a row; what is in no origin was an argument or is the default."""
    field = type(settings).model_fields[attribute]
    extra = _extra(field)
    given: Origin = "argument" if attribute in settings.model_fields_set else "default"
    value = getattr(settings, attribute)
    return SettingRow(
        name=env_name(attribute),
        value="" if value is None else _plain(value),
        origin=origins.get(attribute, given),
        unit=extra["unit"],
        default=_default_text(field),
        allowed=_allowed(field),
        description=field.description or "",
        section=extra["section"],
    )


def readable_error(
    settings_cls: type[BaseSettings], error: ErrorDetails, origins: Mapping[str, Origin]
) -> str:
    """Say which setting is wrong, where it was set, and what it may be; never its value."""
    message = error["msg"].removeprefix("Value error, ")
    if not error["loc"]:
        return message
    attribute = str(error["loc"][0])
    field = settings_cls.model_fields[attribute]
    facts = [f"allowed: {_allowed(field)}"] if _allowed(field) else []
    facts += [f"unit: {_extra(field)['unit']}"] if _extra(field)["unit"] else []
    facts += [f"leave it empty for the default: {_default_text(field)}"]
    place = origins.get(attribute, "default")
    return f"{env_name(attribute)} (in {place}): {message} ({'; '.join(facts)})."


def _extra(field: FieldInfo) -> dict[str, Any]:
    extra = field.json_schema_extra
    if not isinstance(extra, dict):
        raise TypeError("a setting is declared with setting(...)")
    return dict(extra)


def _plain(value: object) -> str:
    """Return a value as a person would write it; `str` of a SecretStr is its mask."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _default_text(field: FieldInfo) -> str:
    text = _extra(field)["default_text"]
    if text:
        return str(text)
    return "not set" if field.default is None else _plain(field.default)


def _allowed(field: FieldInfo) -> str:
    """Return the range or the choices of a setting in words, empty if it has none."""
    if isinstance(field.default, bool):
        return "true, false"
    if get_origin(field.annotation) is Literal:
        return ", ".join(get_args(field.annotation))
    words: list[str] = []
    for limit in field.metadata:
        match limit:
            case annotated_types.Ge(ge=least):
                words.append(f"at least {least}")
            case annotated_types.Gt(gt=below):
                words.append(f"above {below}")
            case annotated_types.Le(le=most):
                words.append(f"at most {most}")
            case annotated_types.Lt(lt=above):
                words.append(f"below {above}")
    return ", ".join(words)
