"""What a sweep shows: pictures in files, in parquet tables, in tar archives, or in a data set."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from os.path import commonpath
from pathlib import Path, PurePosixPath

from PIL import Image

from clipbench.errors import ClipbenchError
from clipbench.stimuli import picture_files, read_image
from clipbench.streams import ahead
from clipbench.sweeps.containers import cell, groups, member, members, stamped

DIGEST = 16  # bytes of BLAKE2b: no two contents among 10⁹ agree by chance
MISSING = bytes(DIGEST)  # of an item that could not be read when it was listed
_TABLE, _ARCHIVE = ".parquet", ".tar"
_HASHERS, _STEP = 4, 256  # threads that hash, and items between two reports


def digest_of(content: bytes) -> bytes:
    """BLAKE2b of some bytes."""
    return hashlib.blake2b(content, digest_size=DIGEST).digest()


@dataclass(frozen=True)
class Stimuli(ABC):
    """n things to show, each with a name and a digest of what it is.

    Args:
        names: of the items, in the order of the rows of a store.
        digests: `DIGEST` bytes for each item.
    """

    names: tuple[str, ...]
    digests: tuple[bytes, ...]

    def __len__(self) -> int:
        return len(self.names)

    @property
    @abstractmethod
    def origin(self) -> dict:
        """Where the items come from, as JSON types."""

    @abstractmethod
    def picture(self, number: int) -> Image.Image:
        """An item as RGB.

        Raises:
            ClipbenchError: it cannot be read, or is not what it was when it was listed.
        """

    def part(self, start: int, stop: int) -> "Stimuli":
        """The items from start to before stop."""
        return replace(self, names=self.names[start:stop], digests=self.digests[start:stop])

    @property
    def hash(self) -> str:
        """First 12 hex digits of the SHA-256 over all names and digests."""
        digest = hashlib.sha256()
        for name, content in zip(self.names, self.digests, strict=True):
            digest.update(name.encode("utf-8", "surrogateescape") + b"\0" + content)
        return digest.hexdigest()[:12]


@dataclass(frozen=True)
class Files(Stimuli):
    """Pictures in files below one folder; a name such as "a.tar/1.jpg" or "b.parquet/7" leads into one.

    Args:
        root: the folder.
        column: of parquet tables, where the bytes of picture files are.
    """

    root: str
    column: str = "image"

    @property
    def origin(self) -> dict:
        """See `Stimuli`."""
        return {"kind": "images", "root": self.root, "column": self.column}

    def picture(self, number: int) -> Image.Image:
        """See `Stimuli`."""
        name = self.names[number]
        content = self.content(name)
        if digest_of(content) != self.digests[number]:
            raise ClipbenchError(f"{name!r} is not what it was when the sweep began; sweep it anew")
        return read_image(content, name).image

    def content(self, name: str) -> bytes:
        """Bytes of an item.

        Raises:
            ClipbenchError: it is not there any more.
        """
        path, inner = _parted(name)
        try:
            if not inner:
                return (Path(self.root) / path).read_bytes()
            container = Path(self.root) / path
            if path.endswith(_TABLE):
                return cell(container, self.column, int(inner))
            return member(container, inner)
        except ClipbenchError:
            raise
        except (OSError, ValueError, LookupError) as error:  # also what pyarrow raises
            raise ClipbenchError(f"{name!r} cannot be read from {self.root!r}; put it back") from error


@dataclass(frozen=True)
class DataSet(Stimuli):
    """Pictures of a Hugging Face `datasets.Dataset`; it cannot be reopened from a store alone.

    Args:
        dataset: with its column of pictures not decoded.
        column: its name.
    """

    dataset: object
    column: str
    first: int = 0

    @property
    def origin(self) -> dict:
        """See `Stimuli`."""
        return {"kind": "images", "dataset": str(self.dataset.info.dataset_name), "column": self.column}

    def part(self, start: int, stop: int) -> "DataSet":
        """See `Stimuli`."""
        return replace(super().part(start, stop), first=self.first + start)

    def picture(self, number: int) -> Image.Image:
        """See `Stimuli`."""
        return read_image(self.content(number), self.names[number]).image

    def content(self, number: int) -> bytes:
        """Bytes of a row's picture."""
        told = self.dataset[self.first + number][self.column]
        return told["bytes"] if told["bytes"] is not None else Path(told["path"]).read_bytes()


@dataclass(frozen=True)
class Listed:
    """How far the listing of stimuli has come: items whose content was read, of all."""

    done: int
    total: int


Source = Stimuli | str | Path | Sequence[str | Path]


def listed(source: Source, column: str = "image") -> Iterator[Listed | Stimuli]:
    """List what there is to show, and read all of it once to know its content.

    Args:
        source: a folder with pictures; a parquet table; a tar archive as webdataset writes it; a list of
            picture files, tables and archives; a `datasets.Dataset`; or stimuli that were listed before,
            which are returned as they are.
        column: where a table or data set has its pictures, as bytes of picture files.

    Yields:
        How far it has come; at the end the stimuli.

    Raises:
        ClipbenchError: there is no such thing, or no picture in it.
    """
    if isinstance(source, Stimuli):
        yield source
        return
    stimuli = _unread(source, column)
    digests, total = [], len(stimuli.names)
    if total == 0:
        raise ClipbenchError("there are no pictures to sweep; give at least one")
    keys = stimuli.names if isinstance(stimuli, Files) else range(total)
    with closing(ahead(partial(_digest, stimuli), keys, 4 * _HASHERS, _HASHERS)) as found:
        for digest in found:
            digests.append(digest)
            if len(digests) % _STEP == 0:
                yield Listed(len(digests), total)
    yield replace(stimuli, digests=tuple(digests))


def _unread(source: Source, column: str) -> Files | DataSet:
    """The stimuli with no digests yet."""
    if hasattr(source, "cast_column"):
        return _data_set(source, column)
    if isinstance(source, str | Path) and not Path(source).is_file():
        root = Path(source).resolve()
        files = picture_files(root)
    else:
        files = [Path(path).resolve() for path in ([source] if isinstance(source, str | Path) else source)]
        root = Path(commonpath([path.parent for path in files])) if files else Path()
    names = [name for path in files for name in _inside(path, path.relative_to(root).as_posix(), column)]
    return Files(tuple(names), (), str(root), column)


def _data_set(dataset, column: str) -> DataSet:
    if column not in dataset.column_names:
        raise ClipbenchError(
            f"the data set has no column {column!r}; its columns are {', '.join(dataset.column_names)}"
        )
    undecoded = dataset.cast_column(column, package("datasets", "datasets").Image(decode=False))
    return DataSet(tuple(f"row {number}" for number in range(len(dataset))), (), undecoded, column)


def _inside(path: Path, name: str, column: str) -> Iterator[str]:
    """The names of the items that a file holds."""
    if not path.is_file():
        raise ClipbenchError(
            f"there is no file {str(path)!r}; give a folder, pictures, a .parquet or .tar file"
        )
    if path.suffix == _TABLE:
        yield from (f"{name}/{row}" for row in range(groups(*stamped(path), column)[-1]))
    elif path.suffix == _ARCHIVE:
        yield from (f"{name}/{inner}" for inner in members(*stamped(path)))
    else:
        yield name


def _parted(name: str) -> tuple[str, str]:
    """A name as the path of a file and what is meant in it: "a/b.tar/c/1.jpg" -> "a/b.tar", "c/1.jpg"."""
    parts = PurePosixPath(name).parts
    for place, part in enumerate(parts[:-1]):
        if part.endswith((_TABLE, _ARCHIVE)):
            return "/".join(parts[: place + 1]), "/".join(parts[place + 1 :])
    return name, ""


def _digest(stimuli: Files | DataSet, key: str | int) -> bytes:
    try:
        return digest_of(stimuli.content(key))
    except ClipbenchError:
        return MISSING  # the sweep will say why


def package(module: str, name: str):
    """Import a module of a package that only some sources of pictures need.

    Raises:
        ClipbenchError: it is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise ClipbenchError(f'this needs the package {name}; run "pip install {name}"') from error
