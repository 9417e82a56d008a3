"""Pictures and films as files that carry where they come from, and the way back from a file to that."""

import json
from base64 import b64encode
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError, SubElement, fromstring, tostring

from PIL import Image, PngImagePlugin

from clipbench.errors import ClipbenchError
from clipbench.results.files import UNREADABLE, check_path, save_bytes
from clipbench.results.provenance import Provenance

ENDINGS = (".png", ".gif", ".mp4", ".svg")

_PNG_KEY = "clipbench"
_SVG = "http://www.w3.org/2000/svg"
_RATE = 12  # frames a second
_REST = 2  # seconds for which a film stands still at its end
_QUALITY = "14"  # constant rate factor of H.264; 18 counts as visually lossless
_GAP, _LETTERS, _LINE = 4, 14, 20  # of a strip in pixels: between pictures, of letters, of a line of them
_GREY = "#777777"  # readable on white and black


def save_png(image: Image.Image, path: str | Path, provenance: Provenance) -> Path:
    """Write a picture as `png`; the file appears at once or not at all.

    Raises:
        ClipbenchError: another ending; the folder is missing, not writable, or full.
    """
    return save_bytes(png(image, provenance), check_path(path, ENDINGS[:1]))


def png(image: Image.Image, provenance: Provenance) -> bytes:
    """A PNG file with its provenance in a text chunk called "clipbench"."""
    file, chunk = BytesIO(), PngImagePlugin.PngInfo()
    chunk.add_itxt(_PNG_KEY, _written(provenance))
    image.save(file, format="PNG", pnginfo=chunk)
    return file.getvalue()


def gif(images: Sequence[Image.Image], provenance: Provenance) -> bytes:
    """A film as GIF, which starts again after its end, with its provenance in the comment.

    Args:
        images: frames of one size; each has a palette of its own.
        provenance: of the last.
    """
    file = BytesIO()
    first, *others = [on_white(image).quantize() for image in images]
    durations = [1000 // _RATE] * len(others) + [1000 * _REST]
    first.save(
        file,
        format="GIF",
        save_all=True,
        append_images=others,
        duration=durations,
        loop=0,
        comment=_written(provenance).encode(),
    )
    return file.getvalue()


def mp4(images: Sequence[Image.Image], provenance: Provenance) -> bytes:
    """A film as MP4 (H.264, which every browser plays), with its provenance in the comment.

    Args:
        images: frames of one size; an odd row or column at the edge is left out.
        provenance: of the last.
    """
    import av  # here, because few need it and it brings all of FFmpeg

    file = BytesIO()
    with av.open(file, "w", format="mp4") as container:
        container.metadata["comment"] = _written(provenance)
        stream = container.add_stream("libx264", rate=_RATE, options={"crf": _QUALITY})
        stream.width, stream.height = (side - side % 2 for side in images[-1].size)  # colours of 2 × 2 px
        stream.pix_fmt = "yuv420p"
        for image in [*images, *images[-1:] * (_RATE * _REST)]:
            even = on_white(image).crop((0, 0, stream.width, stream.height))
            container.mux(stream.encode(av.VideoFrame.from_image(even)))
        container.mux(stream.encode())
    return file.getvalue()


def svg(
    rows: Sequence[Sequence[Image.Image]],
    names: Sequence[str],
    captions: Sequence[str],
    provenance: Provenance,
) -> bytes:
    """Pictures in rows and columns as SVG, the model below them, with its provenance in the metadata.

    Args:
        rows: n of t pictures, all of one size, which are held without loss.
        names: n, each above its row.
        captions: t, each above its column.
        provenance: of the last column.
    """
    width, height = rows[0][0].size
    columns = [place * (width + _GAP) for place in range(len(captions))]
    tops = [2 * _LINE + place * (height + _LINE + _GAP) for place in range(len(rows))]
    size = {"width": str(columns[-1] + width), "height": str(tops[-1] + height + _LINE)}
    root = Element("svg", {"xmlns": _SVG, **size})
    SubElement(root, "title").text = provenance.caption()
    SubElement(root, "metadata").text = _written(provenance)
    for left, caption in zip(columns, captions, strict=True):
        _say(root, caption, left + width // 2, _LETTERS, "middle")
    for top, name, row in zip(tops, names, rows, strict=True):
        _say(root, name, 0, top - _LINE + _LETTERS)
        for left, image in zip(columns, row, strict=True):
            box = {"x": str(left), "y": str(top), "width": str(width), "height": str(height)}
            SubElement(root, "image", {**box, "href": _address(image)})
    _say(root, provenance.source, 0, tops[-1] + height + _LETTERS)
    return tostring(root, encoding="utf-8", xml_declaration=True)


def _say(root: Element, words: str, x: int, y: int, anchor: str = "start") -> None:
    style = {"font-size": str(_LETTERS), "font-family": "system-ui, sans-serif", "fill": _GREY}
    SubElement(root, "text", {**style, "x": str(x), "y": str(y), "text-anchor": anchor}).text = words


def _address(image: Image.Image) -> str:
    file = BytesIO()
    image.save(file, format="PNG")
    return f"data:image/png;base64,{b64encode(file.getvalue()).decode()}"


def on_white(image: Image.Image) -> Image.Image:
    """The picture as RGB; a transparent one lies on white."""
    if image.mode != "RGBA":
        return image.convert("RGB")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")


def read_provenance(path: str | Path) -> Provenance:
    """Read back what clipbench wrote into a PNG, GIF, MP4 or SVG file.

    Raises:
        ClipbenchError: the file is not there, or is none of clipbench's.
    """
    path = Path(path)
    if not path.is_file():
        raise ClipbenchError(f"there is no file {str(path)!r}; give a picture that clipbench has written")
    try:
        return Provenance(**json.loads(_reader(path)(path)))
    except (*UNREADABLE, Image.DecompressionBombError) as error:
        raise ClipbenchError(f"{str(path)!r} is not a picture that clipbench has written") from error


def _written(provenance: Provenance) -> str:
    return json.dumps(provenance.as_dict(), ensure_ascii=False)


def _reader(path: Path) -> Callable[[Path], str | bytes]:
    """What reads a file, by how it begins: a name may be anything."""
    with path.open("rb") as file:
        start = file.read(8)
    if start[4:] == b"ftyp":
        return _from_mp4
    return _from_svg if start.startswith(b"<") else _from_picture


def _from_picture(path: Path) -> str | bytes:
    with Image.open(path) as image:
        return image.info.get(_PNG_KEY) or image.info["comment"]


def _from_mp4(path: Path) -> str:
    import av

    with av.open(str(path)) as container:
        return container.metadata["comment"]


def _from_svg(path: Path) -> str:
    try:
        return fromstring(path.read_bytes()).findtext(f"{{{_SVG}}}metadata")
    except ParseError as error:
        raise ValueError(f"{path} is no XML") from error
