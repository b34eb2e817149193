from __future__ import annotations

import asyncio
import inspect
import pickle
from typing import Any

import pytest
from telethon import errors
from telethon.errors import rpcerrorlist
from telethon.tl.functions.help import GetConfigRequest

from archive.errors import ArchiveError, Permanent, Transient
from resources.telegram.errors import (
    FileElsewhere,
    SessionLost,
    StaleReference,
    TelegramRefused,
    code_of,
    translate,
    wait_seconds,
)

REQUEST = GetConfigRequest()
ANSWERS = sorted(
    {
        cls
        for _, cls in inspect.getmembers(rpcerrorlist, inspect.isclass)
        if issubclass(cls, errors.RPCError)
    }
    - {errors.RPCError},
    key=lambda cls: cls.__name__,
)


def made(cls: Any) -> Any:
    if cls in errors.rpcbaseerrors.base_errors.values():
        return cls(REQUEST, "SOMETHING_ELSE")
    if "capture" in inspect.signature(cls).parameters:
        return cls(REQUEST, capture=7)
    return cls(REQUEST)


def test_every_error_telethon_knows_has_a_translation() -> None:
    assert len(ANSWERS) > 500
    assert [cls for cls in ANSWERS if not isinstance(translate(made(cls)), ArchiveError)] == []


def test_what_passes_by_itself_is_named_and_everything_else_is_for_good() -> None:
    expected = {
        cls
        for cls in ANSWERS
        if issubclass(cls, errors.ServerError | errors.TimedOutError | errors.InvalidDCError)
        or wait_seconds(made(cls)) is not None
    }
    expected |= {
        errors.AuthRestartError,
        errors.FilePartMissingError,
        errors.FloodError,
        errors.InterdcCallErrorError,
        errors.InterdcCallRichErrorError,
        errors.MsgWaitFailedError,
        errors.RpcCallFailError,
        errors.RpcMcgetFailError,
    }
    passing = {cls for cls in ANSWERS if isinstance(translate(made(cls)), Transient)}
    assert passing == expected - {errors.FileMigrateError}


@pytest.mark.parametrize(
    "error",
    [
        ConnectionError("gone"),
        ConnectionResetError(),
        OSError("no route"),
        TimeoutError(),
        asyncio.IncompleteReadError(b"", 4),
        errors.InvalidChecksumError(1, 2),
        errors.InvalidBufferError(b"\x01\x02"),
        errors.SecurityError(),
        errors.BadMessageError(REQUEST, 16),
        errors.ReadCancelledError(),
        errors.CdnFileTamperedError(),
        ValueError("Request was unsuccessful 2 time(s)"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_trouble_on_the_way_passes(error: Exception) -> None:
    assert isinstance(translate(error), Transient)


@pytest.mark.parametrize(
    "name",
    [
        "AuthKeyUnregisteredError",
        "AuthKeyDuplicatedError",
        "SessionRevokedError",
        "SessionExpiredError",
        "UserDeactivatedBanError",
    ],
)
def test_a_dead_session_says_to_log_in(name: str) -> None:
    translated = translate(getattr(errors, name)(REQUEST))
    assert isinstance(translated, SessionLost)
    assert "face-archive login" in str(translated)


def test_a_deleted_account_is_none_that_a_login_would_help() -> None:
    translated = translate(errors.UserDeactivatedError(REQUEST))
    assert isinstance(translated, SessionLost)
    assert "face-archive accounts remove" in str(translated)


def test_a_key_the_server_does_not_know_says_to_log_in() -> None:
    assert isinstance(translate(errors.AuthKeyNotFound()), SessionLost)
    assert isinstance(translate(errors.InvalidBufferError(b"\x6c\xfe\xff\xff")), SessionLost)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("ChannelPrivateError", "CHANNEL_PRIVATE"),
        ("ChatAdminRequiredError", "CHAT_ADMIN_REQUIRED"),
        ("ChatForwardsRestrictedError", "CHAT_FORWARDS_RESTRICTED"),
        ("ChatWriteForbiddenError", "CHAT_WRITE_FORBIDDEN"),
        ("MediaEmptyError", "MEDIA_EMPTY"),
        ("PeerFloodError", "PEER_FLOOD"),
    ],
)
def test_a_refusal_carries_telegrams_code(name: str, code: str) -> None:
    translated = translate(getattr(errors, name)(REQUEST))
    assert isinstance(translated, TelegramRefused)
    assert translated.code == code


@pytest.mark.parametrize("name", ["FloodWaitError", "FloodPremiumWaitError", "SlowModeWaitError"])
def test_each_kind_of_wait_says_how_long(name: str) -> None:
    error = getattr(errors, name)(REQUEST, capture=30)
    translated = translate(error)
    assert wait_seconds(error) == 30.0
    assert isinstance(translated, Transient)
    assert translated.retry_after_seconds == 30.0


def test_a_code_that_telethon_does_not_know_is_kept() -> None:
    error = errors.BadRequestError(REQUEST, "BRAND_NEW_CODE", 400)
    translated = translate(error)
    assert isinstance(translated, TelegramRefused)
    assert translated.code == code_of(error) == "BRAND_NEW_CODE"


def test_the_reference_of_one_file_of_several_is_a_stale_one_too() -> None:
    error = errors.BadRequestError(REQUEST, "FILE_REFERENCE_0_EXPIRED", 400)
    assert isinstance(translate(error), StaleReference)


def test_a_file_elsewhere_says_where() -> None:
    translated = translate(errors.FileMigrateError(REQUEST, capture=4))
    assert isinstance(translated, FileElsewhere)
    assert translated.dc_id == 4


@pytest.mark.parametrize("error", [TypeError("ours"), KeyError("ours"), ValueError("ours")])
def test_a_defect_of_ours_is_not_explained_away(error: Exception) -> None:
    assert translate(error) is None


@pytest.mark.parametrize(
    "error",
    [SessionLost("X"), TelegramRefused("X"), StaleReference("X"), FileElsewhere(3)],
    ids=lambda error: type(error).__name__,
)
def test_errors_travel_between_processes(error: Permanent) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error)
