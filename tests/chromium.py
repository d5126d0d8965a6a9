"""The browser that tests drive: `find()` it, or run this module to have one installed."""

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "google-chrome", "google-chrome-stable", "chromium-browser")
MISSING = (
    "The browser tests need Chromium, and none could be installed here. Install it yourself "
    "(Debian: apt install chromium; elsewhere: .venv/bin/playwright install --with-deps chromium), then try again."
)


def find() -> str | None:
    """The path of a Chromium that starts: the system's, else Playwright's own."""
    for path in map(shutil.which, NAMES):
        if path and _starts(path):
            return path
    path = _playwrights()
    return path if _starts(path) else None


def install() -> str | None:
    """Try the ways there are, and return the path of what came of them."""
    attempts = [[sys.executable, "-m", "playwright", "install", "chromium"]]
    if os.getuid() == 0 and shutil.which("apt-get"):
        attempts.insert(
            0, ["sh", "-c", "apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium"]
        )
    for command in attempts:
        subprocess.run(command, check=False, env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"})
        if path := find():
            return path
    return None


def _playwrights() -> str:
    from playwright.sync_api import sync_playwright  # slow to load, and rarely needed

    with sync_playwright() as playwright:
        return playwright.chromium.executable_path


def _starts(path: str) -> bool:
    """Ubuntu's `chromium-browser`, for one, may only say how to install a browser."""
    try:
        return subprocess.run([path, "--version"], capture_output=True, check=False, timeout=30).returncode == 0
    except OSError:
        return False


if __name__ == "__main__":
    if not (find() or install()):
        sys.exit(MISSING)
