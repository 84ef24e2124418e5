import numpy as np

from antema.domain import Box
from antema.imaging import fill_boxes


def test_a_box_takes_the_grey_of_its_surroundings():
    pixels = np.full((40, 60), 1000, np.uint16)
    pixels[:, 30:] = 3000
    pixels[5:10, 8:20] = 65535
    pixels[30:35, 45:55] = 0
    filled = fill_boxes(pixels, [Box(8, 5, 12, 5), Box(45, 30, 10, 5)])
    assert filled.dtype == np.uint16
    assert (filled[:, :30] == 1000).all()
    assert (filled[:, 30:] == 3000).all()
    assert pixels[7, 9] == 65535


def test_neighbouring_boxes_do_not_lend_each_other_their_grey():
    pixels = np.full((40, 60), 100, np.uint8)
    pixels[10:20, 10:30] = 255
    assert (fill_boxes(pixels, [Box(10, 10, 10, 10), Box(20, 10, 10, 10)]) == 100).all()


def test_without_boxes_it_is_the_image_itself():
    pixels = np.zeros((4, 4), np.float32)
    assert fill_boxes(pixels, []) is pixels


def test_an_image_that_is_all_covered_stays_as_it_is():
    pixels = np.full((8, 8), 7, np.uint8)
    assert (fill_boxes(pixels, [Box(-1, -1, 20, 20)]) == 7).all()
