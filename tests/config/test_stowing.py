"""Keys that are imported go to the key ring or the `.env`, each once, and away again if need be."""

from __future__ import annotations

import stat
import sys
from typing import TYPE_CHECKING

import pytest

from spillover.config.locate import read_env
from spillover.config.secrets import Secret
from spillover.config.stowing import Stowage
from spillover.errors import RequestError
from tests.config.rings import ring_in_use

if TYPE_CHECKING:
    from pathlib import Path

KEY, OTHER = Secret("of-the-tests-0001"), Secret("of-the-tests-0002")
USUAL = ("GROQ_API_KEY",)


def stowage(folder: Path, *, ring: bool = False, **environ: str) -> Stowage:
    return Stowage(folder / "spillover.yaml", environ, ring=ring)


def test_a_key_goes_into_the_env_beside_the_configuration_of_its_owner_alone(
    tmp_path: Path,
) -> None:
    kept = stowage(tmp_path)

    references = [kept.refer(KEY, "groq-api-key", USUAL), kept.refer(OTHER, "my own-api-key")]
    kept.write()

    assert references == ["${GROQ_API_KEY}", "${MY_OWN_API_KEY}"]
    assert read_env(tmp_path / ".env") == {
        "GROQ_API_KEY": KEY.reveal(),
        "MY_OWN_API_KEY": OTHER.reveal(),
    }
    if sys.platform != "win32":
        assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600


def test_equal_keys_are_kept_once(tmp_path: Path) -> None:
    kept = stowage(tmp_path)

    assert kept.refer(KEY, "a", USUAL) == kept.refer(KEY, "b") == "${GROQ_API_KEY}"
    assert kept.told == ("${GROQ_API_KEY}",)


@pytest.mark.parametrize("where", ["environment", "env"])
def test_a_variable_that_holds_the_key_is_used_and_another_is_kept_off(
    tmp_path: Path, where: str
) -> None:
    held = {"GROQ_API_KEY": KEY.reveal(), "MY_KEY": OTHER.reveal()}
    if where == "env":
        (tmp_path / ".env").write_text("".join(f"{name}={held[name]}\n" for name in held))
    environ = held if where == "environment" else {}
    kept = Stowage(tmp_path / "spillover.yaml", environ, ring=False)

    references = [
        kept.refer(KEY, "x", USUAL),
        kept.refer(OTHER, "my-key"),
        kept.refer(Secret("third-of-the-tests"), "x", USUAL),
    ]

    assert references == ["${GROQ_API_KEY}", "${MY_KEY}", "${GROQ_API_KEY_2}"]
    assert kept.variables == {"GROQ_API_KEY_2": "third-of-the-tests"}


def test_a_variable_that_the_environment_holds_empty_is_kept_off(tmp_path: Path) -> None:
    assert stowage(tmp_path, GROQ_API_KEY="").refer(KEY, "x", USUAL) == "${GROQ_API_KEY_2}"


@pytest.mark.parametrize("value", ["a'b", "a'b\"c\\d", "two words # no comment", "$HOME", "x=y"])
def test_every_key_is_read_back_as_it_was(tmp_path: Path, value: str) -> None:
    kept = stowage(tmp_path)
    kept.refer(Secret(value), "5-odd")
    kept.write()

    assert read_env(tmp_path / ".env") == {"K_5_ODD": value}


def test_what_the_env_holds_stays_and_all_of_it_comes_back(tmp_path: Path) -> None:
    env = tmp_path / ".env"
    env.write_text("# mine\nA=1")
    kept = stowage(tmp_path)
    kept.refer(KEY, "x", USUAL)

    kept.write()
    assert env.read_text() == f"# mine\nA=1\nGROQ_API_KEY='{KEY.reveal()}'\n"
    kept.undo()
    assert env.read_text() == "# mine\nA=1"


def test_an_env_that_was_made_goes_again(tmp_path: Path) -> None:
    kept = stowage(tmp_path)
    kept.refer(KEY, "x", USUAL)
    kept.write()
    kept.undo()

    assert list(tmp_path.iterdir()) == []


def test_an_env_that_others_can_read_is_closed_first(tmp_path: Path) -> None:
    env = tmp_path / ".env"
    env.write_text("A=1\n")
    env.chmod(0o644)
    kept = stowage(tmp_path)
    kept.refer(KEY, "x", USUAL)
    kept.write()

    assert stat.S_IMODE(env.stat().st_mode) & 0o077 == 0 or sys.platform == "win32"


def test_an_env_that_would_not_be_read_to_its_end_is_not_written(tmp_path: Path) -> None:
    env = tmp_path / ".env"
    env.write_text("# " + "x" * 262_140)
    kept = stowage(tmp_path)
    kept.refer(KEY, "x", USUAL)

    with pytest.raises(RequestError, match="would be larger than 256 KiB"):
        kept.write()
    kept.undo()
    assert env.stat().st_size == 262_142


def test_where_there_is_a_key_ring_it_holds_the_keys(tmp_path: Path) -> None:
    with ring_in_use() as ring:
        kept = stowage(tmp_path, ring=True)
        reference = kept.refer(KEY, "groq-api-key", USUAL)
        kept.write()

        assert reference.startswith("keyring:groq-api-key-")
        assert list(ring.held.values()) == [KEY.reveal()]
        assert kept.told == (reference,)
        kept.undo()
        assert ring.held == {}
    assert list(tmp_path.iterdir()) == []


def test_a_key_ring_that_is_locked_is_asked_once_and_the_env_is_used(tmp_path: Path) -> None:
    with ring_in_use() as ring:
        ring.locked = True
        kept = stowage(tmp_path, ring=True)
        references = [kept.refer(KEY, "a", USUAL), kept.refer(OTHER, "b")]

    assert references == ["${GROQ_API_KEY}", "${B}"]


def test_a_variable_that_somebody_else_set_meanwhile_is_left_to_them(tmp_path: Path) -> None:
    one, other = stowage(tmp_path), stowage(tmp_path)
    assert one.refer(KEY, "x", USUAL) == other.refer(OTHER, "x", USUAL)
    one.write()

    with pytest.raises(RequestError, match="changed meanwhile"):
        other.write()

    other.undo()
    assert read_env(tmp_path / ".env") == {"GROQ_API_KEY": KEY.reveal()}


def test_thousands_of_keys_of_one_provider_are_numbered(tmp_path: Path) -> None:
    kept = stowage(tmp_path)

    references = [kept.refer(Secret(f"key-{number:05}"), "x", USUAL) for number in range(3_000)]

    assert references[0] == "${GROQ_API_KEY}"
    assert references[-1] == "${GROQ_API_KEY_3000}"
