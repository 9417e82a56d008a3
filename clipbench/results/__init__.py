"""Where a result comes from, and files that carry it: each appears at once or not at all."""

from clipbench.results.files import (
    UNREADABLE,
    cannot_write,
    check_path,
    made_folder,
    npz,
    read_json,
    read_npz,
    read_told,
    reading,
    save_bytes,
    save_json,
)
from clipbench.results.pictures import (
    ENDINGS,
    gif,
    mp4,
    on_white,
    png,
    read_provenance,
    save_png,
    svg,
)
from clipbench.results.provenance import Provenance, versions

__all__ = [
    "ENDINGS",
    "UNREADABLE",
    "Provenance",
    "cannot_write",
    "check_path",
    "gif",
    "made_folder",
    "mp4",
    "npz",
    "on_white",
    "png",
    "read_json",
    "read_npz",
    "read_provenance",
    "read_told",
    "reading",
    "save_bytes",
    "save_json",
    "save_png",
    "svg",
    "versions",
]
