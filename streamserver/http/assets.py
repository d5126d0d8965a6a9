"""Files for browsers: our own modules under a path that names their digest, libraries from npm, uploaded pictures.

What may be asked for is listed when the server starts; a path that is not in the list does not exist, however it is spelt.
"""

import asyncio
import gzip
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import orjson
from aiohttp import web

from streamserver.config import ConfigError
from streamserver.kit.errors import NotFound

CONTENT_TYPES: Mapping[str, str] = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
PICTURES = frozenset({".jpg", ".png", ".webp", ".woff2"})  # compressed as they are
FOREVER = "public, max-age=31536000, immutable"
AN_HOUR = "public, max-age=3600"
ASK = "no-cache"
MIN_GZIP = 500  # below a packet, smaller is not sooner


@dataclass(frozen=True, slots=True)
class Package:
    """An npm package: the module that its bare name means (None: not imported), and the files that may be asked for."""

    main: str | None
    files: str = "**/*.js"


PACKAGES: Mapping[str, Package] = {
    "lit": Package("index.js"),
    "lit-html": Package("lit-html.js"),
    "lit-element": Package("index.js"),
    "@lit/reactive-element": Package("reactive-element.js"),
    "socket.io-client": Package("dist/socket.io.esm.min.js", "dist/*.js"),
    "swagger-ui-dist": Package(None, "swagger-ui*"),
    "lucide-static": Package(None, "icons/*.svg"),
}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file, in memory. `gzipped` is None where it would not help."""

    body: bytes
    content_type: str
    etag: str
    gzipped: bytes | None

    @classmethod
    def of(cls, body: bytes, content_type: str, *, squeeze: bool = True) -> "Asset":
        gzipped = gzip.compress(body, 6, mtime=0) if squeeze and len(body) >= MIN_GZIP else None
        return cls(body, content_type, hashlib.sha256(body).hexdigest()[:20], gzipped)

    @classmethod
    def read(cls, path: Path) -> "Asset":
        return cls.of(path.read_bytes(), CONTENT_TYPES[path.suffix], squeeze=path.suffix not in PICTURES)

    def answer(self, request: web.Request, cache: str, headers: Mapping[str, str] | None = None) -> web.Response:
        """The file, compressed where the browser can, or 304 when it has it already."""
        send = {"Cache-Control": cache, "ETag": f'W/"{self.etag}"', "Vary": "Accept-Encoding", **(headers or {})}
        if any(tag.value in {self.etag, "*"} for tag in request.if_none_match or ()):
            return web.Response(status=304, headers=send)
        send["Content-Type"] = self.content_type
        if self.gzipped is not None and "gzip" in request.headers.get("Accept-Encoding", ""):
            return web.Response(body=self.gzipped, headers={**send, "Content-Encoding": "gzip"})
        return web.Response(body=self.body, headers=send)


def files_of(folder: Path, pattern: str) -> dict[str, Path]:
    """Every servable file by its path inside `folder`, with forward slashes."""
    found = sorted(path for path in folder.glob(pattern) if path.suffix in CONTENT_TYPES and path.is_file())
    return {path.relative_to(folder).as_posix(): path for path in found}


class OwnFiles:
    """The modules, styles and pictures of `static/`, as they were when the server started, under `/static/<build>/`."""

    def __init__(self, folder: Path) -> None:
        self._assets = {name: Asset.read(path) for name, path in files_of(folder, "**/*").items()}
        digest = hashlib.sha256()
        for name, asset in self._assets.items():
            digest.update(f"{name} {asset.etag}\n".encode())
        self.base = f"/static/{digest.hexdigest()[:12]}"

    async def answer(self, request: web.Request) -> web.Response:
        asset = self._assets.get(request.match_info["file"])
        if asset is None:
            raise NotFound
        return asset.answer(request, FOREVER)

    def add_to(self, app: web.Application) -> None:
        app.router.add_get(self.base + "/{file:.+}", self.answer)


class Libraries:
    """Libraries in `node_modules`, under `/vendor/<name>@<version>/` for ever, or `/vendor/<name>/` for an hour."""

    def __init__(self, node_modules: Path) -> None:
        self.versions = {name: _version(node_modules / name) for name in PACKAGES}
        self._files = {
            (name, file): path
            for name, package in PACKAGES.items()
            for file, path in files_of(node_modules / name, package.files).items()
        }
        self._read: dict[Path, Asset] = {}

    @cached_property
    def import_map(self) -> str:
        """The JSON by which `import "lit"` and `import "lit/directives/repeat.js"` find their files."""
        imports: dict[str, str] = {}
        for name, package in PACKAGES.items():
            if package.main:
                base = f"/vendor/{name}@{self.versions[name]}/"
                imports |= {name: base + package.main, f"{name}/": base}
        return orjson.dumps({"imports": imports}).decode()

    async def answer(self, request: web.Request) -> web.Response:
        name, version, file = (request.match_info[part] for part in ("name", "version", "file"))
        path = self._files.get((name, file))
        if path is None or version not in {"", f"@{self.versions[name]}"}:
            raise NotFound
        if path not in self._read:
            self._read[path] = await asyncio.to_thread(Asset.read, path)
        return self._read[path].answer(request, FOREVER if version else AN_HOUR)

    def add_to(self, app: web.Application) -> None:
        app.router.add_get(r"/vendor/{name:(?:@[a-z-]+/)?[a-z.-]+}{version:(?:@[^/]+)?}/{file:.+}", self.answer)


class Pictures:
    """Uploaded pictures under `/images/`; a name belongs to one content for ever."""

    NAME = re.compile(r"[0-9A-Za-z_-]+\.(webp|jpg|png)")

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def answer(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        path = self._folder / name
        if not self.NAME.fullmatch(name) or not await asyncio.to_thread(path.is_file):
            raise NotFound("This picture does not exist, or no longer.")
        return web.FileResponse(path, headers={"Cache-Control": FOREVER, "Content-Type": CONTENT_TYPES[path.suffix]})

    def add_to(self, app: web.Application) -> None:
        app.router.add_get("/images/{name}", self.answer)


def _version(package: Path) -> str:
    try:
        return str(orjson.loads((package / "package.json").read_bytes())["version"])
    except FileNotFoundError as error:
        raise ConfigError(f"The library '{package.name}' is missing from {package.parent}. Run `npm ci`.") from error
