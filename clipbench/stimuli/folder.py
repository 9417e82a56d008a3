"""A folder of pictures as a list of files; each is read when its turn comes."""

from pathlib import Path

from clipbench.errors import ClipbenchError

_ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".tif", ".tiff", ".bmp", ".ppm", ".jp2", ".avif")


def is_picture(name: str) -> bool:
    """Whether a file's name ends like a picture's."""
    return Path(name).suffix.lower() in _ENDINGS


def picture_files(folder: str | Path) -> list[Path]:
    """All files in a folder and in the folders in it whose names end like a picture's, sorted by path.

    Raises:
        ClipbenchError: no such folder, or none with such files.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ClipbenchError(f"there is no folder {str(folder)!r}; give the path of a folder with pictures")
    found = sorted(path for path in folder.rglob("*") if is_picture(path.name) and path.is_file())
    if not found:
        raise ClipbenchError(f"there is no picture in {str(folder)!r}; put JPEG, PNG or WebP files there")
    return found
