"""Every example in README and docs runs, or says beside it why it can't."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML

from tests.docs.blocks import Block, blocks_in, examples

if TYPE_CHECKING:
    from tests.docs.conftest import World

RUNNER = Path(__file__).with_name("run_block.py")
WHOLE = Path(__file__).with_name("spillover.yaml")
"""What a fragment of a config is set into: its sections go over the ones here, name by name."""


def named(block: Block) -> str:
    return block.name


def whole(fragment: str) -> dict[str, Any]:
    """Set a fragment of a config into a whole one."""
    yaml = YAML(typ="safe")
    written, around = yaml.load(fragment), yaml.load(WHOLE)
    return {
        **around,
        **{
            name: {**around[name], **section} if isinstance(around.get(name), dict) else section
            for name, section in written.items()
        },
    }


def matches(expected: str, printed: str) -> bool:
    """Compare line by line; `…` in the example stands for anything."""
    pattern = re.escape(expected.strip()).replace("…", ".*")
    return re.fullmatch(pattern, printed.strip(), re.DOTALL) is not None


def commands(text: str) -> list[tuple[str, str]]:
    """Split a console example into its commands (`$ …`, `> …` goes on) and what they print."""
    parts = re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]
    found = []
    for part in parts:
        command, *rest = part.splitlines()
        while rest and (command.endswith("\\") or rest[0].startswith("> ")):
            command += "\n" + rest.pop(0).removeprefix("> ")
        found.append((command, "\n".join(rest)))
    return found


@pytest.mark.parametrize("block", examples("yaml"), ids=named)
def test_yaml_examples_load(block: Block, tmp_path: Path) -> None:
    from spillover.catalogue import load as load_catalogue
    from spillover.config.loader import load
    from spillover.config.overrides import over

    if block.text.startswith("# catalogue.yaml"):
        (tmp_path / "catalogue.yaml").write_text(block.text, "utf-8")
        assert over(load_catalogue(), tmp_path).problems == ()
        return
    complete = re.search(r"^profiles:", block.text, re.MULTILINE) and re.search(
        r"^chains:", block.text, re.MULTILINE
    )
    path = tmp_path / "spillover.yaml"
    if complete:
        path.write_text(block.text, "utf-8")
    else:
        YAML(typ="safe").dump(whole(block.text), path)
    variables = re.findall(r"\$\{(\w+)", path.read_text("utf-8"))

    load(path, environ=dict.fromkeys(variables, "sk-example"))


@pytest.mark.parametrize("block", examples("python"), ids=named)
def test_python_examples_run(block: Block, world: World) -> None:
    done = world.run(block.text, sys.executable, str(RUNNER))

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("block", examples("bash"), ids=named)
def test_shell_examples_run(block: Block, world: World) -> None:
    done = world.run(block.text, "bash", "-euo", "pipefail")

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("block", examples("console"), ids=named)
def test_console_examples_print_what_they_show(block: Block, world: World) -> None:
    for command, expected in commands(block.text):
        done = world.run(command, "bash", "-uo", "pipefail")

        assert matches(expected, done.stdout), f"$ {command}\n{done.stdout}"


def test_a_block_is_excused_only_by_a_reason_right_before_it() -> None:
    page = """\
<!-- not run: it serves until stopped -->
```bash
make run
```
<!-- not run: -->
```bash
make test
```
  ```yaml
  port: 1
  ```
```text
no example
```
"""

    found = [(block.line, block.text, block.excused) for block in blocks_in(page, page="p")]

    assert found == [(2, "make run\n", True), (6, "make test\n", False), (9, "port: 1\n", False)]


def test_a_console_example_is_split_into_commands_and_output() -> None:
    text = "$ one \\\n  two\n1\n2\n$ three <<X\n> four\n> X\n"

    assert commands(text) == [("one \\\n  two", "1\n2"), ("three <<X\nfour\nX", "")]


def test_an_ellipsis_stands_for_anything_and_all_else_for_itself() -> None:
    assert matches("took … ms\ndone.", "took 12 ms\ndone.\n")
    assert not matches("took … ms", "took 12 s")
    assert not matches("done.", "done!")


def test_a_fragment_is_set_into_a_whole_config() -> None:
    config = whole("chains: {coding: {profiles: [groq]}}\nprivacy: true")

    assert {"default", "coding"} <= config["chains"].keys()
    assert config["privacy"] is True
    assert "groq" in config["profiles"]
