import json

import numpy as np

from antema.domain import Annotations, Box, ScaleBar


def test_a_bar_gives_the_pixel_size_of_its_label():
    assert ScaleBar(172.0, Box(0, 0, 172, 6), "10 nm", 10.0).pixel_size_nm == 10 / 172


def test_a_bar_without_a_legible_label_gives_none():
    assert ScaleBar(172.0, Box(0, 0, 172, 6)).pixel_size_nm is None


def test_annotations_survive_json():
    found = Annotations(ScaleBar(80.5, Box(4, 5, 81, 3), "50 nm", 50.0), (Box(4, 5, 81, 3), Box(1, 2, 3, 4)))
    assert Annotations.from_dict(json.loads(json.dumps(found.to_dict()))) == found
    assert Annotations.from_dict(Annotations().to_dict()) == Annotations()


def test_the_mask_covers_the_boxes_as_far_as_they_lie_in_the_image():
    mask = Annotations(boxes=(Box(-2, -1, 4, 3), Box(8, 5, 10, 10), Box(-9, 0, 4, 4))).mask((8, 10))
    assert mask.shape == (8, 10)
    assert np.argwhere(mask).tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]] + [[y, x] for y in (5, 6, 7) for x in (8, 9)]
