"""Pages, modules, libraries and pictures."""

import hashlib
import re
from base64 import b64encode
from pathlib import Path

import orjson
import pytest
from yarl import URL

from streamserver.config import Config, ConfigError
from streamserver.http.assets import Libraries, OwnFiles
from streamserver.http.pages import SHELLS, Pages
from tests.http.conftest import Client

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


async def text_of(client: Client, path: str) -> str:
    async with client.get(URL(path, encoded=True)) as response:
        assert response.status == 200, path
        return await response.text()


@pytest.mark.parametrize(("path", "shell"), SHELLS.items())
async def test_every_page_has_its_shell(client: Client, path: str, shell: str) -> None:
    """Each address of the site answers with its own page, which is looked at again each time."""
    async with client.get(re.sub(r"\{\w+\}", "room_1", path)) as response:
        assert (response.status, response.content_type) == (200, "text/html")
        assert response.headers["Cache-Control"] == "no-cache"
        assert f"<title>{shell}</title>" in await response.text()


async def test_the_policy_allows_the_import_map_and_no_other_inline_script(client: Client) -> None:
    """The hash in the header is that of the import map on the page."""
    async with client.get("/") as response:
        policy, text = response.headers["Content-Security-Policy"], await response.text()
    inline = text.partition("<script type=importmap>")[2].partition("</script>")[0]
    digest = b64encode(hashlib.sha256(inline.encode()).digest()).decode()
    assert f"script-src 'self' 'sha256-{digest}'" in policy
    assert "unsafe" not in policy
    assert "object-src 'none'" in policy


async def test_only_the_api_page_may_style_inline(client: Client) -> None:
    """Swagger UI does; its scripts are held to the same rule as all others."""
    async with client.get("/api") as response:
        policy = response.headers["Content-Security-Policy"]
        assert "style-src 'self' 'unsafe-inline'" in policy
        assert "unsafe" not in policy.partition("script-src")[2].partition(";")[0]


async def test_a_page_that_did_not_change_is_not_sent_again(client: Client) -> None:
    """The browser asks with its ETag and hears that it has it already."""
    async with client.get("/") as response:
        etag = response.headers["ETag"]
    async with client.get("/", headers={"If-None-Match": etag}) as response:
        assert (response.status, await response.read()) == (304, b"")
        assert "script-src" in response.headers["Content-Security-Policy"]


async def test_the_page_itself_marks_a_newcomers_browser(client: Client) -> None:
    """Its scripts may then send several requests at once, all from one device."""
    async with client.get("/") as response:
        assert "device=" in response.headers["Set-Cookie"]
    async with client.get("/") as response:
        assert "Set-Cookie" not in response.headers


async def test_modules_are_kept_for_ever_under_their_build(client: Client) -> None:
    """The path names the content of all of them, so no browser needs to ask again."""
    base = re.search(r"/static/[0-9a-f]{12}", await text_of(client, "/"))
    assert base is not None
    async with client.get(f"{base[0]}/home/home.js") as response:
        assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert response.headers["Content-Type"] == "text/javascript; charset=utf-8"
        assert response.headers["Content-Encoding"] == "gzip"
        assert "greeting" in await response.text()
    async with client.get("/static/000000000000/home/home.js") as response:
        assert response.status == 404


def test_the_build_changes_with_any_file(static: Path, database: object) -> None:
    """One changed letter is another build."""
    before = OwnFiles(static).base
    assert OwnFiles(static).base == before
    (static / "home/home.js").write_text("export const greeting = 'hallo';")
    assert OwnFiles(static).base != before


@pytest.mark.parametrize(
    "file",
    [
        "home/home.html", "home/notes.txt", "../static/home/home.js", "..%2f..%2fsecret.key", "%2e%2e/%2e%2e/secret.key",
        "home%00.js", "/etc/passwd", "home", "home/", "x" * 5000,
    ],
)  # fmt: skip
async def test_nothing_but_listed_files_is_given_out(client: Client, static: Path, file: str) -> None:
    """Shells with their placeholders, other files, other folders: they do not exist."""
    (static.parent / "secret.key").write_text("secret")
    for folder in (OwnFiles(static).base, "/vendor/lit", "/images"):
        async with client.get(URL(f"{folder}/{file}", encoded=True)) as response:
            assert response.status == 404, folder


async def test_every_module_that_lit_needs_is_found(client: Client) -> None:
    """Following each import through the import map ends at files that exist, all of them for ever."""
    inline = (await text_of(client, "/")).partition("<script type=importmap>")[2].partition("</script>")[0]
    imports: dict[str, str] = orjson.loads(inline)["imports"]

    def find(name: str, base: str) -> str:
        if name.startswith("."):
            return str(URL(base).join(URL(name)))
        folder = max((key for key in imports if key.endswith("/") and name.startswith(key)), key=len, default="")
        return imports.get(name) or imports[folder] + name.removeprefix(folder)

    waiting = [
        find(name, "")
        for name in ("lit", "lit/directives/repeat.js", "lit/directives/class-map.js", "socket.io-client")
    ]
    seen: set[str] = set()
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        async with client.get(path) as response:
            assert (response.status, response.content_type) == (200, "text/javascript"), path
            assert "immutable" in response.headers["Cache-Control"]
            text = await response.text()
        waiting += [find(name, path) for name in re.findall(r'(?:from|import)\s*"([^"]+)"', text)]
    assert len(seen) > 8


async def test_icons_need_no_version(client: Client) -> None:
    """They are asked for again after an hour, and then by their ETag."""
    async with client.get("/vendor/lucide-static/icons/heart.svg") as response:
        assert (response.status, response.content_type) == (200, "image/svg+xml")
        assert response.headers["Cache-Control"] == "public, max-age=3600"
        assert "ETag" in response.headers


@pytest.mark.parametrize(
    "path",
    ["typescript/lib/tsc.js", "lit/package.json", "lit@0.0.1/index.js", ".bin/tsc", "@lit/../typescript/lib/tsc.js"],
)
async def test_only_the_pages_libraries_are_given_out(client: Client, path: str) -> None:
    """Tools, other versions and packages that pages do not use stay in their folder."""
    async with client.get(URL(f"/vendor/{path}", encoded=True)) as response:
        assert response.status == 404


async def test_pictures_are_kept_for_ever(client: Client, config: Config) -> None:
    """A picture's name belongs to one content."""
    config.media_folder.mkdir(parents=True)
    (config.media_folder / "0a1b-640.webp").write_bytes(b"RIFF....WEBP")
    (config.media_folder / ".half.tmp").write_bytes(b"RIFF")
    async with client.get("/images/0a1b-640.webp") as response:
        assert (response.status, response.content_type) == (200, "image/webp")
        assert "immutable" in response.headers["Cache-Control"]
    for hidden in (".half.tmp", "none.webp", "..%2fsecret.key"):
        async with client.get(URL(f"/images/{hidden}", encoded=True)) as response:
            assert response.status == 404


def test_a_missing_page_stops_the_start(static: Path, database: object) -> None:
    """The error names the file."""
    (static / "home/home.html").unlink()
    with pytest.raises(ConfigError, match=r"home\.html"):
        Pages(static, "/static/1", "{}")


def test_missing_libraries_stop_the_start(tmp_path: Path, database: object) -> None:
    """The error says how to get them."""
    with pytest.raises(ConfigError, match="npm ci"):
        Libraries(tmp_path)
