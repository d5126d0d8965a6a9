"""Pictures: what is taken, what is refused, what is kept."""

import asyncio
import io
from pathlib import Path

import pytest
from PIL import Image, ImageCms

from streamserver.accounts.model import Identity
from streamserver.catalog.images import EDGES, ImageStore, StoredImage, path_of
from streamserver.catalog.model import MAX_IMAGES, ImageTooLarge, ImageUnreadable, TooManyImages
from streamserver.catalog.service import CatalogService
from streamserver.config import Config
from streamserver.messages.catalog import Product
from tests.catalog.conftest import picture


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "images"


@pytest.fixture
def store(folder: Path) -> ImageStore:
    return ImageStore(folder, 4_000_000)


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*"))


def kept(folder: Path, image: StoredImage) -> list[Image.Image]:
    """The three files of a stored picture, largest first."""
    return [Image.open(folder / Path(path_of(image.name, size)).name) for size in EDGES]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
async def test_a_picture_is_kept_in_three_sizes(store: ImageStore, folder: Path, kind: str) -> None:
    """Each known format ends as WebP in three sizes, in proportion."""
    image = await store.keep(picture(2000, 1000, kind))
    assert (image.width, image.height) == (1600, 800)
    assert [(file.format, file.size) for file in kept(folder, image)] == [
        ("WEBP", (1600, 800)),
        ("WEBP", (640, 320)),
        ("WEBP", (160, 80)),
    ]


async def test_a_small_picture_is_never_enlarged(store: ImageStore, folder: Path) -> None:
    """A 200-pixel picture stays one."""
    image = await store.keep(picture(200, 100))
    assert [file.size for file in kept(folder, image)] == [(200, 100), (200, 100), (160, 80)]


async def test_a_phone_picture_is_turned_upright_and_tells_nothing(store: ImageStore, folder: Path) -> None:
    """The orientation is applied; place, camera, profile and comments are gone."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Camera of Ines"  # orientation: turn right; maker
    exif.get_ifd(0x8825)[1] = "N"
    buffer = io.BytesIO()
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()  # pyright: ignore[reportUnknownArgumentType] - untyped in Pillow
    sideways = Image.new("RGB", (400, 200), "white")
    sideways.paste("red", (0, 0, 200, 200))
    sideways.save(buffer, "JPEG", exif=exif, icc_profile=profile, comment=b"at home")
    image = await store.keep(buffer.getvalue())
    assert (image.width, image.height) == (200, 400)
    for file in kept(folder, image):
        assert not file.getexif()
        assert not {"exif", "icc_profile", "xmp", "comment"} & file.info.keys()
    top = kept(folder, image)[0].convert("RGB").getpixel((100, 20))
    assert isinstance(top, tuple)
    assert top[0] > 200
    assert top[1] < 50


async def test_transparency_and_the_first_frame_stay(store: ImageStore, folder: Path) -> None:
    """Of an animation the first frame is kept, with what is see-through in it."""
    frames = [Image.new("RGBA", (50, 50), colour) for colour in ((255, 0, 0, 0), (0, 255, 0, 255))]
    buffer = io.BytesIO()
    frames[0].save(buffer, "WEBP", save_all=True, append_images=frames[1:], lossless=True)
    first = kept(folder, await store.keep(buffer.getvalue()))[0]
    assert first.mode == "RGBA"
    assert first.getchannel("A").getextrema() == (0, 0)


@pytest.mark.parametrize("broken", ["text", "svg", "bmp", "empty", "cut", "header"])
async def test_what_is_no_whole_picture_is_refused(store: ImageStore, folder: Path, broken: str) -> None:
    """Other formats, text, and files cut short are refused, and leave nothing behind."""
    files = {
        "text": b"hello",
        "svg": b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        "bmp": picture(kind="BMP"),
        "empty": b"",
        "cut": picture(500, 500, "JPEG")[:-2000],
        "header": picture(500, 500)[:40],
    }
    with pytest.raises(ImageUnreadable):
        await store.keep(files[broken])
    assert files_in(folder) == []


@pytest.mark.parametrize("side", [2001, 4000])
async def test_a_decompression_bomb_is_refused_before_it_goes_off(store: ImageStore, side: int) -> None:
    """A tiny file that would unfold to more pixels than configured is refused by its header."""
    buffer = io.BytesIO()
    Image.new("1", (side, 2000)).save(buffer, "PNG", optimize=True)
    assert len(buffer.getvalue()) < 10_000
    with pytest.raises(ImageTooLarge) as refused:
        await store.keep(buffer.getvalue())
    assert refused.value.details == {"max_pixels": 4_000_000}


async def test_a_name_is_made_of_the_content(store: ImageStore, folder: Path) -> None:
    """The same picture many times at once ends in the same three files, and no half-written one is left."""
    images = await asyncio.gather(*(store.keep(picture()) for _ in range(5)))
    assert len({image.name for image in images}) == 1
    assert len(files_in(folder)) == 3


async def test_a_product_shows_its_pictures(
    catalog: CatalogService, owner: Identity, mug: Product, config: Config
) -> None:
    """Pictures come in the order of upload; the same file counts once; without a text the title describes it."""
    for colour, alt in (("teal", ""), ("plum", "From above"), ("teal", "Again")):
        shown = await catalog.add_image(owner, mug.id, picture(colour=colour), alt)
    assert [image.alt for image in shown.images] == ["Breakfast mug", "From above"]
    assert (config.media_folder / Path(shown.images[0].large).name).exists()
    facts = await catalog.variants([mug.variants[0].id])
    assert facts[mug.variants[0].id].image == shown.images[0].medium


async def test_a_picture_can_be_taken_off(catalog: CatalogService, owner: Identity, mug: Product) -> None:
    """Removing it twice is fine; its file stays for orders that show it."""
    [image] = (await catalog.add_image(owner, mug.id, picture(), "")).images
    for _ in range(2):
        assert (await catalog.remove_image(owner, mug.id, image.id)).images == []


async def test_a_product_has_at_most_twenty_pictures(catalog: CatalogService, owner: Identity, mug: Product) -> None:
    """The twenty-first is refused, also when many arrive at once."""
    uploads = (catalog.add_image(owner, mug.id, picture(10, 10, colour=f"#{n:06x}"), "") for n in range(MAX_IMAGES + 3))
    results = await asyncio.gather(*uploads, return_exceptions=True)
    assert sum(isinstance(result, TooManyImages) for result in results) == 3
    assert len((await catalog.product(mug.id)).images) == MAX_IMAGES
