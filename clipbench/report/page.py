"""From plain data and pictures to one HTML page that needs nothing else."""

from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from clipbench.results import Provenance

_HERE = Path(__file__).parent / "templates"
_KINDS = {b"\x89PNG": "image/png", b"\xff\xd8": "image/jpeg"}


def render(template: str, **values) -> str:
    """Fill a template of this room; what is put in is escaped, and a file name that is no text made one."""
    page = _environment().get_template(template).render(style=text("page.css"), **values)
    return page.encode(errors="replace").decode()


def text(name: str) -> str:
    """A file of the templates as it is."""
    return (_HERE / name).read_text(encoding="utf-8")


def data_uris(pictures: Mapping[str, bytes]) -> dict[str, str]:
    """PNG or JPEG files by name -> the same as addresses that hold the whole file."""
    return {name: _data_uri(file) for name, file in pictures.items()}


def number(value: float | None) -> str:
    """A number of three digits, with a real minus sign; a dash for none."""
    return "–" if value is None else f"{value:.3g}".replace("-", "−")


def signed(value: float) -> str:
    """The same with its sign."""
    return f"{value:+.3g}".replace("-", "−")


def percent(value: float) -> str:
    """A share as a percentage of at most three digits."""
    return f"{100 * value:.3g}\xa0%".replace("-", "−")


def count(value: int) -> str:
    """A whole number with commas at the thousands."""
    return f"{value:,}"


def caption(provenance: Mapping) -> str:
    """The line of a provenance that was made plain."""
    return Provenance(**provenance).caption()


def _data_uri(file: bytes) -> str:
    kind = next(kind for start, kind in _KINDS.items() if file.startswith(start))
    return f"data:{kind};base64,{b64encode(file).decode()}"


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters |= {each.__name__: each for each in (number, signed, percent, count, caption)}
    return environment
