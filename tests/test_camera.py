"""A photo by the camera, as far as the kernel has to do with it; the rest is in tests/browser."""

import pytest

from widgets.camera import Camera


def told(content, *buffers):
    """What the widget hands on when the browser sends a message: files, sentences."""
    files, sentences = [], []
    Camera(files.append, sentences.append)._handle_custom_msg(content, list(buffers))
    return files, sentences


def test_a_photo_is_handed_on_as_it_came():
    assert told({"taken": True}, memoryview(b"jpeg")) == ([b"jpeg"], [])


@pytest.mark.parametrize(
    ("failed", "sentence"),
    [
        ("NotAllowedError", "not allowed to use the camera"),
        ("NotFoundError", "no camera was found"),
        ("NotReadableError", "in use by another program"),
        ("InsecureError", "only to pages at https://"),
        ("SomeNewError", "gave no picture (SomeNewError); upload a photo"),
    ],
)
def test_why_there_is_no_picture_is_one_sentence(failed, sentence):
    files, (said,) = told({"failed": failed})
    assert files == [] and sentence in said and "." not in said
