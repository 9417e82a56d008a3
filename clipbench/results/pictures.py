"""Pictures and films as files that carry where they come from, and the way back from a file to that."""

import json
from base64 import b64encode
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from xml.etree import ElementTree

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
_GAP, _LETTERS = 4, 14  # pixels between the pictures of a strip, and height of the names below them


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


def svg(images: Sequence[Image.Image], names: Sequence[str], provenance: Provenance) -> bytes:
    """Pictures in a row, a name below each, as SVG with its provenance in the metadata element.

    Args:
        images: n pictures of one size, which are held without loss.
        names: n.
        provenance: of the last.
    """
    width, height = images[0].size
    side = width + _GAP
    size = {"width": str(len(images) * side - _GAP), "height": str(height + _LETTERS + _GAP)}
    root = ElementTree.Element("svg", {"xmlns": _SVG, **size})
    ElementTree.SubElement(root, "title").text = provenance.caption()
    ElementTree.SubElement(root, "metadata").text = _written(provenance)
    for place, (image, name) in enumerate(zip(images, names, strict=True)):
        file = BytesIO()
        image.save(file, format="PNG")
        data = f"data:image/png;base64,{b64encode(file.getvalue()).decode()}"
        box = {"x": str(place * side), "width": str(width), "height": str(height)}
        ElementTree.SubElement(root, "image", {**box, "href": data})
        middle = {"x": str(place * side + width // 2), "y": str(height + _LETTERS), "text-anchor": "middle"}
        letters = {"font-size": str(_LETTERS), "font-family": "system-ui, sans-serif", "fill": "#777"}
        ElementTree.SubElement(root, "text", {**middle, **letters}).text = name
    return ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)


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
    readers = {".mp4": _from_mp4, ".svg": _from_svg}
    try:
        return Provenance(**json.loads(readers.get(path.suffix.lower(), _from_picture)(path)))
    except (*UNREADABLE, Image.DecompressionBombError) as error:
        raise ClipbenchError(f"{str(path)!r} is not a picture that clipbench has written") from error


def _written(provenance: Provenance) -> str:
    return json.dumps(provenance.as_dict(), ensure_ascii=False)


def _from_picture(path: Path) -> str | bytes:
    with Image.open(path) as image:
        return image.info.get(_PNG_KEY) or image.info["comment"]


def _from_mp4(path: Path) -> str:
    import av

    with av.open(str(path)) as container:
        return container.metadata["comment"]


def _from_svg(path: Path) -> str:
    try:
        return ElementTree.fromstring(path.read_bytes()).findtext(f"{{{_SVG}}}metadata")
    except ElementTree.ParseError as error:
        raise ValueError(f"{path} is no XML") from error
