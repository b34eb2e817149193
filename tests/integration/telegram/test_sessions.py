"""Sessions on disk: nobody else's to read, and sealed where there is a passphrase."""

from __future__ import annotations

from pathlib import Path

import pytest

from archive.errors import Permanent
from archive.ids import AccountId
from resources.telegram.sealing import Seal
from resources.telegram.sessions import Lane, SessionFiles

ADA = AccountId(5)
SECRET = "1session-of-ada"


def plain(folder: Path) -> SessionFiles:
    return SessionFiles(folder)


def sealed(folder: Path, passphrase: str = "correct horse") -> SessionFiles:
    return SessionFiles(folder, Seal(passphrase))


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_session_that_others_may_read_is_refused_with_the_way_out(
    tmp_path: Path, mode: int
) -> None:
    plain(tmp_path).save(ADA, Lane.LIVE, SECRET)
    (path,) = tmp_path.iterdir()
    path.chmod(mode)
    with pytest.raises(Permanent, match=r"chmod 600.*Devices"):
        plain(tmp_path).load(ADA, Lane.LIVE)
    path.chmod(0o600)
    assert plain(tmp_path).load(ADA, Lane.LIVE).secret == SECRET


def test_a_key_that_others_may_read_is_not_used(tmp_path: Path) -> None:
    files = plain(tmp_path)
    files.save_file_key(ADA, Lane.LIVE, 4, b"key")
    (path,) = tmp_path.iterdir()
    path.chmod(0o644)
    assert files.load_file_key(ADA, Lane.LIVE, 4) is None


def test_with_a_passphrase_neither_sessions_nor_keys_lie_there_in_plain_text(
    tmp_path: Path,
) -> None:
    files = sealed(tmp_path)
    files.save(ADA, Lane.LIVE, SECRET)
    files.save_file_key(ADA, Lane.LIVE, 4, b"key")

    texts = [path.read_text() for path in tmp_path.iterdir()]

    assert len(texts) == 2
    assert not any(SECRET in text or b"key".hex() in text for text in texts)
    # Another process, with nothing but the passphrase.
    assert sealed(tmp_path).load(ADA, Lane.LIVE).secret == SECRET
    assert sealed(tmp_path).load_file_key(ADA, Lane.LIVE, 4) == b"key"


def test_a_wrong_passphrase_and_a_missing_one_say_so(tmp_path: Path) -> None:
    sealed(tmp_path).save(ADA, Lane.LIVE, SECRET)
    with pytest.raises(Permanent, match=r"not the passphrase.*face-archive logout"):
        sealed(tmp_path, "wrong").load(ADA, Lane.LIVE)
    with pytest.raises(Permanent, match=r"set FACE_ARCHIVE_SESSION_PASSPHRASE.*logout"):
        plain(tmp_path).load(ADA, Lane.LIVE)


def test_a_damaged_sealed_file_says_what_to_do(tmp_path: Path) -> None:
    sealed(tmp_path).save(ADA, Lane.LIVE, SECRET)
    (path,) = tmp_path.iterdir()
    path.write_text(path.read_text()[:60])
    with pytest.raises(Permanent, match="face-archive logout"):
        sealed(tmp_path).load(ADA, Lane.LIVE)


def test_protecting_and_unprotecting_lead_from_one_to_the_other(tmp_path: Path) -> None:
    plain(tmp_path).save(ADA, Lane.LIVE, SECRET)
    plain(tmp_path).save_file_key(ADA, Lane.LIVE, 4, b"key")
    with pytest.raises(Permanent, match="face-archive accounts protect"):
        sealed(tmp_path).load(ADA, Lane.LIVE)

    assert (sealed(tmp_path).protect(), sealed(tmp_path).protect()) == (2, 0)
    assert sealed(tmp_path).load(ADA, Lane.LIVE).secret == SECRET
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}

    with pytest.raises(Permanent, match="not the passphrase"):
        sealed(tmp_path, "wrong").unprotect()
    assert sealed(tmp_path).unprotect() == 2
    assert plain(tmp_path).load(ADA, Lane.LIVE).secret == SECRET
    assert plain(tmp_path).load_file_key(ADA, Lane.LIVE, 4) == b"key"


def test_without_a_passphrase_there_is_nothing_to_protect_with(tmp_path: Path) -> None:
    with pytest.raises(Permanent, match="FACE_ARCHIVE_SESSION_PASSPHRASE"):
        plain(tmp_path).protect()


def test_two_accounts_need_a_name(tmp_path: Path) -> None:
    files = plain(tmp_path)
    files.save(ADA, Lane.LIVE, SECRET)
    assert files.chosen(None) == ADA
    files.save(AccountId(6), Lane.LIVE, SECRET)
    with pytest.raises(Permanent, match="5, 6"):
        files.chosen(None)
