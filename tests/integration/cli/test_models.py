"""`models`: what is known of each, whether its files are right, and which one is used."""

import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import onnx.helper
import onnx.numpy_helper
import pytest

from cli.exits import ExitCode
from resources.store.database import Database
from resources.store.model_in_use import switch
from tests.fixtures.shelf import Shelf
from tests.unit.identity.worlds import world
from tests.unit.test_identify import MODEL

from .conftest import Shell

PACK = "scrfd_mobilefacenet"


def env_lines(shell: Shell) -> list[str]:
    return (shell.folder / ".env").read_text(encoding="utf-8").splitlines()


@pytest.fixture
def packs(installed: Shell, shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A models folder that may be written to, with a known pack and the same under a new name."""
    root = installed.folder / "packs"
    for name in (PACK, "mine"):
        original = shared_data / "models" / "insightface" / "models" / PACK
        shutil.copytree(original, root / "models" / name, copy_function=shutil.copyfile)
        (root / "models" / name).chmod(0o755)
    monkeypatch.setenv("FACE_ARCHIVE_MODELS_DIR", str(root))
    return root / "models"


def test_the_list_says_what_is_here_and_in_use_and_what_each_allows(
    installed: Shell, packs: Path
) -> None:
    rows = {row["model"]: row for row in installed.rows("models", "list")}

    assert {name for name, row in rows.items() if row["here"]} == {"dlib", PACK, "mine"}
    assert [name for name, row in rows.items() if row["in_use"]] == ["dlib"]
    assert rows["dlib"]["allows"] == rows["auraface"]["allows"] == "any use"
    assert rows["mine"]["allows"] == rows["buffalo_l"]["allows"] == "non-commercial research only"
    assert rows["buffalo_l"]["lfw_percent"] == "99.83"
    assert "manifest" in rows["raccoon_s"]["unusable"]


def test_every_threshold_that_is_shown_names_its_source(shell: Shell) -> None:
    rows = shell.rows("models", "show", "buffalo_l")

    thresholds = [row for row in rows if row["of"] == "threshold"]
    assert len(thresholds) == 8
    assert all(row["source"].startswith("cautious guess: ") for row in thresholds)
    published = next(row for row in rows if row["name"] == "LFW")
    assert published["source"].startswith("published table: insightface")


def test_verify_trusts_an_unknown_pack_once_and_finds_what_was_changed(
    installed: Shell, packs: Path
) -> None:
    def states() -> dict[tuple[str, str], str]:
        result = installed.rows("models", "verify")
        return {(row["model"], row["part"]): row["state"] for row in result}

    assert states() == {
        ("dlib", "landmarks"): "as in the registry",
        ("dlib", "recogniser"): "as in the registry",
        (PACK, "detector"): "as in the registry",
        (PACK, "recogniser"): "as in the registry",
        ("mine", "detector"): "never seen before",
        ("mine", "recogniser"): "never seen before",
    }
    assert states()["mine", "detector"] == "as first seen"

    for name in ("mine", PACK):
        with (packs / name / "mobilefacenet.onnx").open("ab") as file:
            file.write(b"\x3a\x00")
    changed = installed.run("models", "verify")
    assert changed.exit_code == ExitCode.FAILED
    assert changed.stdout.count('"state": "differs"') == 2


def test_fetch_says_what_to_do_where_nothing_can_be_fetched(installed: Shell, packs: Path) -> None:
    missing = installed.run("models", "fetch", "auraface")
    assert missing.exit_code == ExitCode.PERSON_MUST_ACT
    assert "fal/AuraFace-v1" in missing.stderr

    assert installed.run("models", "fetch", PACK).exit_code == ExitCode.PERSON_MUST_ACT
    rows = installed.rows("models", "fetch", PACK, "--accept-noncommercial")
    assert {row["state"] for row in rows} == {"as in the registry"}


def test_a_licence_is_asked_about_once_in_an_archive(installed: Shell, packs: Path) -> None:
    refused = installed.run("models", "use", PACK, typed="n\n")
    assert refused.exit_code == ExitCode.PERSON_MUST_ACT
    assert not (installed.folder / ".env").exists()

    asked = installed.run("models", "use", PACK, typed="y\n")
    assert asked.exit_code == 0, asked.output
    assert "non-commercial" in asked.stderr
    assert env_lines(installed) == [
        f"FACE_ARCHIVE_MODEL={PACK}",
        "FACE_ARCHIVE_ACCEPT_NONCOMMERCIAL_MODELS=true",
    ]

    assert installed.run("models", "use", "dlib").exit_code == 0
    again = installed.run("models", "use", PACK)
    assert again.exit_code == 0, again.output
    assert [row["model"] for row in installed.rows("models", "list") if row["in_use"]] == [PACK]


def test_a_consent_that_the_environment_denies_is_refused_and_not_kept_in_a_file(
    installed: Shell, packs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACE_ARCHIVE_ACCEPT_NONCOMMERCIAL_MODELS", "false")

    refused = installed.run("models", "use", PACK, "--accept-noncommercial")

    assert refused.exit_code == ExitCode.PERSON_MUST_ACT
    assert "in the environment, which wins" in refused.stderr
    assert not (installed.folder / ".env").exists()


def test_a_model_that_cannot_be_used_is_refused_whatever_was_accepted(installed: Shell) -> None:
    result = installed.run("models", "use", "raccoon_s", "--accept-noncommercial")
    assert result.exit_code == ExitCode.PERSON_MUST_ACT
    assert "manifest" in result.stderr


@pytest.fixture
def begun(installed: Shell, database: Database) -> Shelf:
    """An archive of a few faces of a model that no setting names, with `dlib` known beside it."""
    shelf = Shelf(database)
    shelf.fill(world([3], seed=1)[0])
    shelf.execute(
        "INSERT INTO models (name, kind, licence, commercial_use, dims, thresholds)"
        " SELECT 'dlib', 'dlib', licence, commercial_use, dims, thresholds FROM models"
    )
    use(shelf, MODEL.name)
    return shelf


def use(shelf: Shelf, model: str) -> None:
    with shelf.database.transaction() as connection:
        switch(connection, model)


def checked(shell: Shell, name: str) -> dict[str, str]:
    """Give one row of `doctor`, which fails here for want of an account."""
    lines = shell.run("doctor").stdout.splitlines()
    rows = [json.loads(line) for line in lines if line.startswith("{")]
    (found,) = [row for row in rows if row["name"] == name]
    return dict(found)


@pytest.mark.parametrize("command", ["use", "migrate"])
def test_a_misspelt_name_is_told_and_not_asked_about(installed: Shell, command: str) -> None:
    result = installed.run("models", command, "bufalo_l", typed="y\n")

    assert result.exit_code == ExitCode.PERSON_MUST_ACT
    assert "there is no model `bufalo_l`" in result.stderr
    assert "models list" in result.stderr


def test_an_archive_that_has_faces_is_brought_over_to_another_model_and_not_told_to_use_it(
    installed: Shell, begun: Shelf
) -> None:
    refused = installed.run("models", "use", "dlib")
    assert refused.exit_code == ExitCode.PERSON_MUST_ACT
    assert f"uses {MODEL.name}" in refused.stderr
    assert "models migrate dlib" in refused.stderr
    assert not (installed.folder / ".env").exists()


def test_a_setting_that_names_another_model_changes_nothing_and_is_pointed_out(
    installed: Shell, begun: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "FACE_ARCHIVE_MODEL" not in installed.run("models", "list").stderr
    monkeypatch.setenv("FACE_ARCHIVE_MODEL", "dlib")

    listed = installed.run("models", "list")
    rows = [json.loads(line) for line in listed.stdout.splitlines()]
    assert [row["model"] for row in rows if row["in_use"]] == [MODEL.name]
    assert f"FACE_ARCHIVE_MODEL is dlib, but this archive uses {MODEL.name}" in listed.stderr
    assert "models migrate dlib" in listed.stderr

    found = checked(installed, "setting of the model")
    assert found["state"] == "warn"
    assert "models migrate dlib" in found["way_out"]
    assert MODEL.name in checked(installed, "model")["finding"]
    assert checked(installed, "vectors")["state"] == "ok"

    use(begun, "dlib")
    assert "FACE_ARCHIVE_MODEL" not in installed.run("models", "list").stderr
    found = checked(installed, "vectors")
    assert found["state"] == "warn"
    assert "3 faces" in found["finding"]
    assert f"models migrate {MODEL.name}" in found["way_out"]


def test_whoever_sets_up_an_archive_that_has_faces_hears_that_it_keeps_its_model(
    installed: Shell, begun: Shelf
) -> None:
    result = installed.run("init", "--yes", "--model", "dlib")
    assert result.exit_code == 0, result.output
    assert f"this archive uses {MODEL.name}" in result.stderr
    assert "models migrate dlib" in result.stderr


def test_a_pack_of_ones_own_is_tried_and_copied_and_its_licence_counts_as_unknown(
    installed: Shell, packs: Path, shared_data: Path
) -> None:
    added = (packs / "mine").rename(installed.folder / "downloaded")

    refused = installed.run("models", "add", added, "--name", "ours", typed="n\n")
    assert refused.exit_code == ExitCode.PERSON_MUST_ACT
    assert "unknown" in refused.stderr

    labelled = ("--labelled", shared_data / "faces" / "lfw10", "--far", "0.005")
    given = (added, "--name", "ours", "--accept-noncommercial")
    rows = installed.rows("models", "add", *given, *labelled)
    (proposed,) = [row for row in rows if "threshold" in row]
    assert 0.2 < float(proposed["threshold"]) < 0.4
    parts = {row["part"]: row for row in rows if "inputs" in row}
    assert parts["recogniser"]["dims"] == 128
    assert parts["recogniser"]["inputs"][0].endswith("3 × 112 × 112")
    assert all(row["passed"] for row in rows if "question" in row)
    assert sorted(path.name for path in (packs / "ours").iterdir()) == [
        "SHA256SUMS",
        "det_2.5g.onnx",
        "mobilefacenet.onnx",
    ]
    listed = {row["model"]: row for row in installed.rows("models", "list")}
    assert (listed["ours"]["here"], listed["ours"]["in_use"]) == (True, False)


def test_a_pack_that_makes_everybody_one_fails_its_self_test_and_is_not_copied(
    installed: Shell, packs: Path
) -> None:
    broken = (packs / "mine").rename(installed.folder / "broken")
    everybody_is_one(broken / "mobilefacenet.onnx")

    result = installed.run("models", "add", broken, "--accept-noncommercial")

    assert result.exit_code == ExitCode.PERSON_MUST_ACT
    (failed,) = [
        row
        for row in map(json.loads, result.stdout.splitlines())
        if "question" in row and not row["passed"]
    ]
    assert failed["question"] == "tells people apart"
    assert not (packs / "broken").exists()


def test_the_name_of_a_known_model_or_of_another_pack_is_not_given_twice(
    installed: Shell, packs: Path
) -> None:
    for name in ("buffalo_l", "mine"):
        again = ("--name", name, "--accept-noncommercial")
        result = installed.run("models", "add", packs / PACK, *again)
        assert result.exit_code == ExitCode.PERSON_MUST_ACT
        assert "--name" in result.stderr


def everybody_is_one(path: Path) -> None:
    """Write a network that has the shapes of a recogniser and the same answer for all."""
    face = onnx.helper.make_tensor_value_info("face", onnx.TensorProto.FLOAT, ["n", 3, 112, 112])
    out = onnx.helper.make_tensor_value_info("vector", onnx.TensorProto.FLOAT, ["n", 128])
    nodes = [
        onnx.helper.make_node("GlobalAveragePool", ["face"], ["mean"]),
        onnx.helper.make_node("Flatten", ["mean"], ["flat"]),
        onnx.helper.make_node("Gemm", ["flat", "nothing", "same"], ["vector"]),
    ]
    weights = [
        onnx.numpy_helper.from_array(np.zeros((3, 128), np.float32), "nothing"),
        onnx.numpy_helper.from_array(np.ones(128, np.float32), "same"),
    ]
    graph = onnx.helper.make_graph(nodes, "everybody is one", [face], [out], weights)
    opset = [onnx.helper.make_opsetid("", 13)]
    onnx.save(onnx.helper.make_model(graph, opset_imports=opset, ir_version=8), str(path))
