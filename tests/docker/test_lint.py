"""The Dockerfile's rules: stages, no root, nothing but the server, a health check that exists."""

import re
from fnmatch import fnmatch
from ipaddress import ip_address

import pytest
from tests.docker.dockerfile import ROOT, Stage, parsed

from paperspace_mcp.cli import _parser

TEXT = (ROOT / "Dockerfile").read_text(encoding="utf-8")
BUILD, FINAL = parsed(TEXT)
IGNORED = [
    line for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line and line[0] != "#"
]


def kept(path: str) -> bool:
    """Whether a top-level name reaches the build. The last pattern that fits decides."""
    verdicts = [rule.startswith("!") for rule in IGNORED if fnmatch(path, rule.removeprefix("!"))]
    return verdicts[-1] if verdicts else True


def test_bases_are_pinned_and_the_same() -> None:
    assert BUILD.base == FINAL.base
    assert re.search(r":\d+\.\d+", FINAL.base)
    assert all(re.search(r":\d", one.flags["from"]) for one in BUILD.all("COPY") if "from" in one.flags)


def test_the_base_has_a_python_that_the_server_supports() -> None:
    version = re.search(r":(\d+)\.(\d+)", FINAL.base)
    assert version is not None
    assert (int(version[1]), int(version[2])) >= (3, 11)


def test_it_does_not_run_as_root() -> None:
    user = FINAL.only("USER").words[0]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user), "a number, so that an orchestrator can see that it is not root"
    after = FINAL.instructions[FINAL.instructions.index(FINAL.only("USER")) :]
    assert {one.keyword for one in after} <= {"USER", "EXPOSE", "HEALTHCHECK", "ENTRYPOINT", "CMD"}


def test_bytecode_is_compiled_where_it_is_installed() -> None:
    assert BUILD.env["UV_COMPILE_BYTECODE"] == "1"
    assert all("--locked" in one.value for one in BUILD.all("RUN"))
    assert [one.flags["from"] for one in FINAL.all("COPY")] == [BUILD.name]


def test_nothing_is_fetched_or_copied_wholesale() -> None:
    for stage in (BUILD, FINAL):
        assert not stage.all("ADD")
        assert all("." not in one.words[:-1] for one in stage.all("COPY"))
        assert not any(re.search(r"curl|wget|sudo|apt-get", one.value) for one in stage.all("RUN"))


def test_what_is_copied_reaches_the_build_and_nothing_else_does() -> None:
    copied = {word for one in BUILD.all("COPY") if "from" not in one.flags for word in one.words[:-1]}
    assert all((ROOT / path).exists() and kept(path) for path in copied)
    assert {path.name for path in ROOT.iterdir() if kept(path.name)} == copied


def test_no_secret_is_baked_in() -> None:
    for stage in (BUILD, FINAL):
        assert not any("KEY" in name or "TOKEN" in name for name in stage.env)
        assert not stage.all("ARG")


def test_the_command_is_one_that_the_server_takes() -> None:
    """In exec form, so that a signal reaches the server; on every address, under a name that is allowed."""
    entry, command = FINAL.only("ENTRYPOINT"), FINAL.only("CMD")
    assert entry.value.startswith("[")
    assert command.value.startswith("[")
    arguments = _parser("serve").parse_args(command.words)
    assert (entry.words, arguments.transport) == (["paperspace-mcp"], "http")
    assert ip_address(arguments.host).is_unspecified
    assert arguments.allowed_host
    assert str(arguments.port) == FINAL.only("EXPOSE").value


def test_the_health_check_asks_the_port_that_is_served() -> None:
    check = FINAL.only("HEALTHCHECK")
    assert {"interval", "timeout"} <= set(check.flags)
    assert f":{FINAL.only('EXPOSE').value}/healthz" in check.words[-1]


def test_state_is_kept_where_its_user_may_write() -> None:
    (made,) = FINAL.all("RUN")
    state = FINAL.env["PAPERSPACE_MCP_STATE_DIR"]
    assert FINAL.only("VOLUME").value == state
    assert f"mkdir --mode=0700 {state}" in made.value
    assert f"chown {FINAL.only('USER').value} {state}" in made.value


@pytest.mark.parametrize("text", ["RUN true\n", "FROM a\nINSTALL b\n", "FROM a\nrun true\n"])
def test_what_is_no_dockerfile_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not an instruction"):
        parsed(text)


def test_the_reader_reads_continued_lines_and_flags() -> None:
    stage: Stage = parsed('FROM a:1 AS b\n# no\nRUN one \\\n  two\nHEALTHCHECK --timeout=1s CMD ["x", "y"]\n')[0]
    assert stage.only("RUN").words == ["one", "two"]
    assert (stage.only("HEALTHCHECK").flags, stage.only("HEALTHCHECK").words) == ({"timeout": "1s"}, ["x", "y"])
