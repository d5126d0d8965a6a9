"""Pictures: read by their content, turned upright, stripped of metadata, kept in three sizes under a name made of what
is in them. A name never changes its content, so a picture may be cached for ever; files are not deleted, since orders
go on showing them."""

import asyncio
import contextlib
import hashlib
import io
import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from uuid import uuid4

from PIL import Image, ImageCms, ImageOps

from streamserver.catalog.model import ImageTooLarge, ImageUnreadable

Size = Literal["small", "medium", "large"]
EDGES: dict[Size, int] = {"large": 1600, "medium": 640, "small": 160}  # pixels of the longest edge, made in this order
FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
QUALITY = 82
SRGB = ImageCms.ImageCmsProfile(
    ImageCms.createProfile("sRGB")  # pyright: ignore[reportUnknownArgumentType] - Pillow leaves its colour engine untyped
)
AT_ONCE = 2  # a 40-megapixel picture takes 160 MB while it is decoded


@dataclass(frozen=True, slots=True)
class StoredImage:
    """`name` for `path_of`; `source` the digest of the bytes given; width and height of the large size in pixels."""

    name: str
    source: str
    width: int
    height: int


def source_of(data: bytes) -> str:
    """Digest by which an uploaded file is known again."""
    return hashlib.sha256(data).hexdigest()


def path_of(name: str, size: Size) -> str:
    """Path on this server of one size of a stored picture."""
    return f"/images/{_file_name(name, size)}"


class ImageStore:
    """Keeps pictures in `folder`; refuses what has more than `max_pixels` (width times height)."""

    def __init__(self, folder: Path, max_pixels: int) -> None:
        self.folder = folder
        self.max_pixels = max_pixels
        self._working = asyncio.Semaphore(AT_ONCE)
        Image.MAX_IMAGE_PIXELS = max_pixels  # Pillow's own guard raises at twice that and warns below, where we raise
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)

    async def keep(self, data: bytes, *, write: bool = True) -> StoredImage:
        """Store the picture in `data` (a whole file); without `write` only find out whether that would work.
        Raises `ImageUnreadable`, `ImageTooLarge`."""
        async with self._working:
            return await asyncio.to_thread(self._keep, data, write)

    def _keep(self, data: bytes, write: bool) -> StoredImage:
        picture = _decode(data, self.max_pixels)
        picture.thumbnail((EDGES["large"], EDGES["large"]), Image.Resampling.LANCZOS)
        width, height = picture.size
        encoded: dict[Size, bytes] = {}
        for size, edge in EDGES.items():
            picture.thumbnail((edge, edge), Image.Resampling.LANCZOS)
            encoded[size] = _encode(picture)
        name = hashlib.sha256(b"".join(encoded.values())).hexdigest()[:32]
        if write:
            self.folder.mkdir(parents=True, exist_ok=True)
            for size, content in encoded.items():
                _write_atomically(self.folder / _file_name(name, size), content)
        return StoredImage(name, source_of(data), width, height)


def _decode(data: bytes, max_pixels: int) -> Image.Image:
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            if image.width * image.height > max_pixels:
                raise Image.DecompressionBombError  # noqa: TRY301 - joins Pillow's own guard, which acts at twice the cap
            image.draft(image.mode, (EDGES["large"], EDGES["large"]))  # JPEG skips detail that is thrown away anyway
            image.load()  # the first frame; raises when the file is cut short
            return _to_srgb(ImageOps.exif_transpose(image))
    except Image.DecompressionBombError as error:
        raise ImageTooLarge(max_pixels=max_pixels) from error
    except Exception as error:  # Pillow's decoders raise nearly anything on a broken file
        raise ImageUnreadable from error


def _to_srgb(image: Image.Image) -> Image.Image:
    """Turn a phone's wide colours into those that every screen shows, then forget the profile and all other metadata."""
    mode = "RGBA" if image.has_transparency_data else "RGB"
    profile = image.info.get("icc_profile")
    if profile and image.mode in {"RGB", "CMYK"}:
        with contextlib.suppress(ImageCms.PyCMSError, OSError):  # a broken profile: the plain colours are good enough
            given = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            image = ImageCms.profileToProfile(image, given, SRGB, outputMode="RGB") or image
    plain = image.convert(mode)
    plain.info.clear()
    return plain


def _encode(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=QUALITY, method=4)
    return buffer.getvalue()


def _file_name(name: str, size: Size) -> str:
    return f"{name}-{EDGES[size]}.webp"


def _write_atomically(path: Path, content: bytes) -> None:
    """Whoever finds the file finds all of it, also after a power cut."""
    draft = path.with_name(f".{uuid4().hex}.tmp")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
