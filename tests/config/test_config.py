"""config.toml documents every setting with its default; what cannot be used stops the start with its key named."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from streamserver.config import Config, ConfigError
from tests.harness import PROJECT, environment, run

DOCUMENTED: dict[str, dict[str, Any]] = tomllib.loads((PROJECT / "config.toml").read_text())


def load(folder: Path, text: str) -> Config:
    file = folder / "config.toml"
    file.write_text(text)
    return Config.load(file)


def test_every_setting_is_documented_with_its_default() -> None:
    """The file that a self-hoster reads and the defaults in the program are the same, key by key."""
    assert Config().model_dump(mode="json") == DOCUMENTED


def test_every_setting_has_a_sentence_above_it() -> None:
    """A key, or the run of keys that it begins, follows a comment."""
    previous = ""
    for line in (PROJECT / "config.toml").read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            assert previous.startswith("#") or "=" in previous, line
        previous = line


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[web]\nprot = 80", r"web\.prot \(line 2\): there is no such setting"),
        ("[wbe]\nport = 80", r"wbe \(line 1\): there is no such setting"),
        ('[web]\nport = "many"', r"web\.port \(line 2\): .*integer"),
        ("\n[web]\nport = 70000", r"web\.port \(line 3\): .*65535"),
        ("[stock]\nhold_seconds = 0", r"stock\.hold_seconds \(line 2\): .*greater"),
        ('[web]\ntrusted_proxies = ["everyone"]', r"web\.trusted_proxies.*everyone"),
        ('[web]\npublic_url = "shop.example/path"', r"web\.public_url \(line 2\): .*https://shop\.example"),
        ('[redis]\nurl = "localhost:6379"', r"redis\.url \(line 2\)"),
        ('[database]\nurl = "mysql://localhost/shop"', r"database\.url \(line 2\)"),
        ('[accounts]\nenrolment = "nobody"', r"accounts\.enrolment \(line 2\): .*everyone"),
        ("[web\nport = 80", r"not valid TOML"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    """A misspelt key, a wrong type, an impossible value: all are told with the place to mend."""
    with pytest.raises(ConfigError, match=told):
        load(tmp_path, text)


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    """Nobody mends a file one line at a time."""
    with pytest.raises(ConfigError, match=r"(?s)web\.prot.*stock\.hold_seconds"):
        load(tmp_path, "[web]\nprot = 1\n[stock]\nhold_seconds = 0")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """With the way to get one."""
    with pytest.raises(ConfigError, match=r"no configuration at .*Copy config\.toml"):
        Config.load(tmp_path / "config.toml")


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Containers set what differs; the file says the rest."""
    monkeypatch.setenv("STREAMSERVER_WEB__PORT", "9000")
    config = load(tmp_path, '[web]\nport = 8000\nhost = "::1"')
    assert (config.web.port, config.web.host) == (9000, "::1")


def test_an_environment_variable_that_names_no_setting_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A misspelt variable would otherwise do nothing, silently."""
    monkeypatch.setenv("STREAMSERVER_WEB__PROT", "9000")
    with pytest.raises(ConfigError, match="STREAMSERVER_WEB__PROT"):
        load(tmp_path, "")


def test_the_data_folder_is_relative_to_the_file(tmp_path: Path) -> None:
    """It does not depend on where the server is started from."""
    assert load(tmp_path, '[server]\ndata = "kept"').server.data == tmp_path / "kept"


def test_a_server_with_a_wrong_setting_does_not_start(tmp_path: Path) -> None:
    """The command ends with the sentence and no traceback."""
    refused = run("serve", env=environment(tmp_path, web__port="many"))
    assert refused.returncode == 78
    assert "web.port" in refused.stderr
    assert "Traceback" not in refused.stderr
