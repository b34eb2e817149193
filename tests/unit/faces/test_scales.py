import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.faces.scales import (
    SEEN_FROM,
    TILE_SIDE,
    TILED_BEYOND,
    WHOLE_SIDE,
    Tile,
    belongs_to_tile,
    detailed_part,
    plan_tiles,
    useful_scale,
    whole_sides,
    without_known,
)

SIDES = st.integers(1, 12_000)


@pytest.mark.parametrize(
    ("size", "sides"),
    [
        ((90, 60), (128,)),
        ((250, 250), (256, 128)),
        ((1280, 886), (640, 128)),
        ((886, 1280), (640, 128)),
    ],
)
def test_a_picture_is_looked_at_in_its_own_size_and_small(
    size: tuple[int, int], sides: tuple[int, ...]
) -> None:
    assert whole_sides(*size) == sides


def test_only_pictures_that_the_whole_pass_cannot_see_through_are_tiled() -> None:
    assert plan_tiles(TILED_BEYOND, 900) is None
    assert plan_tiles(TILED_BEYOND + 1, 900) is not None


@given(SIDES, SIDES)
def test_tiles_cover_the_picture_and_cost_a_bounded_time(width: int, height: int) -> None:
    plan = plan_tiles(width, height)
    if plan is None:
        return
    columns, rows = max(1, round(width * plan.scale)), max(1, round(height * plan.scale))
    covered = np.zeros((rows, columns), dtype=np.bool_)
    for tile in plan.tiles:
        covered[tile.y1 : tile.y2, tile.x1 : tile.x2] = True
        assert tile.x2 - tile.x1 <= TILE_SIDE
        assert tile.y2 - tile.y1 <= TILE_SIDE

    assert covered.all()
    assert rows * columns < 10.6e6


@given(SIDES, SIDES, st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_a_face_too_small_for_the_whole_pass_lies_whole_in_some_tile(
    width: int, height: int, x: float, y: float, size: float
) -> None:
    plan = plan_tiles(width, height)
    if plan is None:
        return
    columns, rows = max(1, round(width * plan.scale)), max(1, round(height * plan.scale))
    unseen = SEEN_FROM * max(width, height) / WHOLE_SIDE * plan.scale
    side = min(unseen - 2, columns - 2, rows - 2) * size
    if side <= 0:
        return
    x1, y1 = x * (columns - side), y * (rows - side)
    box = np.array([[x1, y1, x1 + side, y1 + side]], dtype=np.float32)

    assert any(
        belongs_to_tile(box, tile, plan, columns, rows).all()
        for tile in plan.tiles
        if tile.x1 <= x1 and tile.y1 <= y1 and tile.x2 >= x1 + side and tile.y2 >= y1 + side
    )


def test_a_tile_answers_neither_for_cut_faces_nor_for_large_ones() -> None:
    plan = plan_tiles(4000, 3000)
    assert plan is not None
    tile = plan.tiles[0]
    boxes = np.array(
        [[5, 5, 30, 30], [tile.x2 - 20, 5, tile.x2, 30], [5, 5, 5 + plan.overlap + 1, 60]],
        dtype=np.float32,
    )

    assert belongs_to_tile(boxes, tile, plan, 2560, 1920).tolist() == [True, False, False]


def test_flat_tiles_are_left_out_and_others_shrink_to_their_detail() -> None:
    detail = np.zeros((40, 40), dtype=np.float32)
    tile = Tile(0, 0, 640, 640)

    assert detailed_part(tile, detail) is None
    detail[20, 30] = 40.0
    assert detailed_part(tile, detail) == Tile(28 * 16, 18 * 16, 33 * 16, 23 * 16)


def test_detail_of_a_head_that_was_found_asks_for_no_tile() -> None:
    detail = np.full((40, 40), 40.0, dtype=np.float32)

    left = without_known(detail, np.array([[-500.0, -500.0, 1200.0, 1200.0]]))

    assert detailed_part(Tile(0, 0, 640, 640), left) is None
    assert detail.all()


@given(SIDES, SIDES)
def test_no_more_is_decoded_than_some_pass_uses(width: int, height: int) -> None:
    scale = useful_scale(width, height)

    assert 0 < scale <= 1
    assert scale >= useful_scale(width, height, tiled=False)
    assert scale * max(width, height) >= min(max(width, height), 2 * WHOLE_SIDE) - 1e-6
