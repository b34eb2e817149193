"""The threshold of the owner's own people: measured, drawn, applied, and in force from then on."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from archive.calibrating import measure
from archive.identity.calibration import Calibration
from resources.plots.calibration import calibration_png
from resources.settings import Settings
from resources.store.database import Database
from resources.toolbox import Toolbox
from tests.integration.cli.conftest import Shell, installed, shell
from tests.integration.store.test_asking import House
from tests.unit.identity.worlds import RULES
from tests.unit.test_identify import MODEL

__all__ = ["installed", "shell"]

PEOPLE, FACES = 10, 6


@pytest.fixture
def named(database: Database) -> House:
    """Ten people with six photos each, all named."""
    house = House(database)
    house.named_people(PEOPLE, FACES)
    return house


def measured(house: House) -> Calibration:
    return measure(house.asking, MODEL.name, RULES, rate=0.02)


def test_named_people_are_labels_enough(named: House) -> None:
    found = measured(named)
    assert (found.people, found.by_hand) == (PEOPLE, 0)
    assert (found.chosen.tar.of, found.chosen.far.of) == (60, 60 * 9)
    assert found.chosen.far.wilson.high <= 0.02
    assert found.in_use.threshold == RULES.accept


def test_the_picture_is_small_and_shows_what_was_measured(named: House) -> None:
    png = calibration_png(measured(named), MODEL.name)
    assert len(png) < 40_000
    with Image.open(io.BytesIO(png)) as picture:
        assert picture.size[0] > picture.size[1] > 200
        assert len(picture.convert("RGB").getcolors(1 << 20) or []) > 3


def test_a_folder_of_labelled_photos_gives_a_threshold_that_holds_until_it_is_reset(
    installed: Shell, database: Database, shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = "scrfd_mobilefacenet"
    for name, value in (
        ("MODEL", model),
        ("MODELS_DIR", shared_data / "models" / "insightface"),
        ("ACCEPT_NONCOMMERCIAL_MODELS", "true"),
    ):
        monkeypatch.setenv(f"FACE_ARCHIVE_{name}", str(value))
    calibrate = ("calibrate", "--folder", shared_data / "faces" / "lfw10", "--far", "0.005")
    rows = installed.rows(*calibrate, "--plot", "roc.png")
    assert [row["wanted_far"] for row in rows if row.get("what") == "at this rate"] == [0.1, 0.01]
    proposed = next(row for row in rows if row.get("what") == "proposed")
    assert float(proposed["tar"]) == 1.0
    assert {row["by"] for row in rows if "by" in row} == {"size", "quality"}
    with Image.open("roc.png") as picture:
        assert picture.format == "PNG"
    assert (rows[-1]["applied"], rows[-1]["holds"]) == (None, "models_own")
    assert (rows[-1]["people"], rows[-1]["genuine"], rows[-1]["impostors"]) == (10, 100, 900)

    applied = installed.rows(*calibrate, "--apply")[-1]
    assert (applied["holds"], applied["applied_from"]) == ("applied", "lfw10")
    assert applied["applied"] == applied["proposed"]
    toolbox = Toolbox(Settings(model=model), database)
    assert toolbox.identify_options.accept == pytest.approx(float(applied["applied"]), abs=1e-4)

    assert installed.run("calibrate", "--reset").exit_code == 0
    assert toolbox.identify_options.accept is None


def test_a_folder_without_people_is_refused(installed: Shell, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    result = installed.run("calibrate", "--folder", empty)
    assert result.exit_code == 4
    assert "one sub-folder a person" in result.output


def test_reset_goes_alone(installed: Shell) -> None:
    assert installed.run("calibrate", "--reset", "--apply").exit_code == 2
