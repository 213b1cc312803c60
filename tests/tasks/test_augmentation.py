"""Images bent, moved and centred."""

import numpy as np
import pytest

from gaml_utils.tasks.augmentation import centred, elastic_wobble, gaussian_bumps
from tests.support.scribbles import centre, strokes


def test_the_bumps_of_every_pixel_have_length_1_and_belong_to_the_nearest_knot():
    bumps = gaussian_bumps(28, 5)
    assert bumps.shape == (28, 5) and bumps.dtype == np.float32
    assert np.allclose((bumps**2).sum(axis=1), 1, rtol=0, atol=1e-6)
    assert bumps.argmax(axis=1).tolist() == np.rint(np.linspace(0, 4, 28)).astype(int).tolist()


def test_a_bend_of_strength_0_changes_nothing():
    images = strokes()
    bent = elastic_wobble(np.random.default_rng(0), images, strength=0.0)
    assert bent.dtype == np.float32 and np.allclose(bent, images, rtol=0, atol=1e-5)


def test_the_displacement_has_the_strength_asked_for_everywhere():
    """Ramps show the move itself: the value read is the row, or the column, it was read at."""
    ramp = np.tile(np.indices((28, 28))[:, None], (1, 300, 1, 1)).astype(np.float32)
    moved = [elastic_wobble(np.random.default_rng(1), ramp[axis], strength=0.35) - ramp[axis] for axis in (0, 1)]
    for move in moved:
        inside = move[:, 3:-3, 3:-3]
        assert abs(inside.mean()) < 0.03
        assert np.allclose(inside.std(axis=0), 0.35, rtol=0.25, atol=0)
        assert np.abs(np.diff(inside, axis=1)).max() < 0.5  # neighbours move alike: strokes hold
    assert abs(np.corrcoef(moved[0][:, 14, 14], moved[1][:, 14, 14])[0, 1]) < 0.2


def test_bends_are_drawn_anew_for_each_image_and_from_the_generator_alone():
    images = np.repeat(strokes(1), 3, axis=0)
    one, two, three = elastic_wobble(np.random.default_rng(2), images)
    assert not np.array_equal(one, two) and not np.array_equal(two, three)
    assert np.array_equal(one, elastic_wobble(np.random.default_rng(2), images)[0])


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, bool])
def test_a_centred_image_has_its_ink_in_the_middle_and_keeps_all_of_it(dtype):
    images = np.zeros((3, 28, 26), dtype=dtype)
    images[0, 2:9, 3:6], images[1, 15:27, 20:25], images[1, 15, 12:25] = 1, 1, 1
    moved = centred(images)
    assert moved.dtype == images.dtype and moved.shape == images.shape
    assert np.abs(centre(moved[:2].astype(float)) - [13.5, 12.5]).max() <= 0.5
    assert np.array_equal(moved.sum(axis=(1, 2)), images.sum(axis=(1, 2)))
    assert not moved[2].any()  # an empty sheet stays
    assert np.array_equal(centred(moved), moved)
    assert np.array_equal(moved[0], np.roll(images[0], (8, 8), axis=(0, 1)))


def test_darker_ink_counts_for_more():
    image = np.zeros((1, 9, 9), dtype=np.uint8)
    image[0, 4, 0], image[0, 4, 8] = 3, 1
    assert np.flatnonzero(centred(image)[0].any(axis=0)).tolist() == [1, 2]  # moved by 2: the far end comes round
