"""A followed file: every way in which editors and systems change it."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, NoReturn

import pytest

from spillover.config.loader import LoadedConfig, load, load_document
from spillover.config.secrets import Secret
from spillover.config.watch import changes
from spillover.errors import ConfigError
from tests.config.writing import KEYS, written
from tests.waiting import WITHIN_S

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    Next = Callable[[], Awaitable[LoadedConfig | ConfigError]]

FIRST = "profiles:\n  groq: {provider: groq}\n"
SECOND = "profiles:\n  groq: {provider: groq, title: changed}\n"


@asynccontextmanager
async def followed(path: Path) -> AsyncIterator[Next]:
    """Follow a file; yields what returns its next change, within a bound."""
    stop = asyncio.Event()
    told: asyncio.Queue[LoadedConfig | ConfigError] = asyncio.Queue()
    first = load(path, environ=KEYS)

    async def follow() -> None:
        async for change in changes(first, environ=KEYS, stop=stop):
            await told.put(change)

    async def next_change() -> LoadedConfig | ConfigError:
        async with asyncio.timeout(WITHIN_S):
            return await told.get()

    task = asyncio.create_task(follow())
    try:
        yield next_change
    finally:
        stop.set()
        async with asyncio.timeout(WITHIN_S):
            await task
    assert told.empty()


def title(change: LoadedConfig | ConfigError) -> str | None:
    assert isinstance(change, LoadedConfig)
    return change.config.profiles["groq"].title


def test_an_edit_comes_as_the_new_configuration(tmp_path: Path) -> None:
    async def story() -> None:
        path = written(tmp_path, FIRST)
        async with followed(path) as next_change:
            path.write_text(SECOND)

            assert title(await next_change()) == "changed"

    asyncio.run(story())


def test_a_broken_edit_comes_as_what_is_wrong_and_the_mended_one_after_it(tmp_path: Path) -> None:
    async def story() -> None:
        path = written(tmp_path, FIRST)
        async with followed(path) as next_change:
            path.write_text("profiles: [")
            broken = await next_change()
            path.write_text(SECOND)
            mended = await next_change()

            assert isinstance(broken, ConfigError)
            assert "broken YAML" in str(broken)
            assert title(mended) == "changed"

    asyncio.run(story())


def test_an_editor_that_replaces_the_file_is_seen_again_and_again(tmp_path: Path) -> None:
    async def story() -> None:
        path = written(tmp_path, FIRST)
        async with followed(path) as next_change:
            for number in range(3):
                draft = tmp_path / "draft"
                draft.write_text(SECOND.replace("changed", f"changed {number}"))
                draft.replace(path)

                assert title(await next_change()) == f"changed {number}"

    asyncio.run(story())


def test_a_file_that_is_moved_away_first_is_not_told_as_gone(tmp_path: Path) -> None:
    async def story() -> None:
        path = written(tmp_path, FIRST)
        async with followed(path) as next_change:
            path.rename(tmp_path / "backup~")
            path.write_text(SECOND)

            assert title(await next_change()) == "changed"

    asyncio.run(story())


def test_a_switched_link_is_seen(tmp_path: Path) -> None:
    async def story() -> None:
        for name, text in (("one", FIRST), ("two", SECOND)):
            (tmp_path / name).mkdir()
            (tmp_path / name / "spillover.yaml").write_text(text)
        link = tmp_path / "..data"
        link.symlink_to("one")
        path = tmp_path / "spillover.yaml"
        path.symlink_to("..data/spillover.yaml")
        async with followed(path) as next_change:
            switched = tmp_path / "..new"
            switched.symlink_to("two")
            switched.replace(link)

            assert title(await next_change()) == "changed"

    asyncio.run(story())


def test_changed_variables_beside_the_file_are_seen(tmp_path: Path) -> None:
    async def story() -> None:
        path = written(
            tmp_path, "profiles:\n  groq: {provider: groq, title: '${MY_TITLE:-none}'}\n"
        )
        async with followed(path) as next_change:
            (tmp_path / ".env").write_text("MY_TITLE=from-env\n")

            assert title(await next_change()) == "from-env"

    asyncio.run(story())


def test_a_changed_secret_in_a_file_elsewhere_is_seen(tmp_path: Path) -> None:
    async def story() -> None:
        folder = tmp_path / "secrets"
        folder.mkdir()
        key = folder / "groq.key"
        key.write_text("first-key-0001")
        path = written(
            tmp_path, f"profiles:\n  groq: {{provider: groq, api_key: 'file:{key.as_posix()}'}}\n"
        )
        async with followed(path) as next_change:
            key.write_text("second-key-0001")

            change = await next_change()
            assert isinstance(change, LoadedConfig)
            assert change.config.profiles["groq"].api_key == Secret("second-key-0001")

    asyncio.run(story())


def test_an_edit_that_changes_nothing_is_not_told(tmp_path: Path) -> None:
    async def story() -> None:
        path = written(tmp_path, FIRST)
        async with followed(path) as next_change:
            path.write_text(FIRST)
            path.touch()
            (tmp_path / "neighbour.yaml").write_text("x")
            path.write_text(SECOND)

            assert title(await next_change()) == "changed"

    asyncio.run(story())


def test_a_folder_that_goes_and_comes_back_ends_nothing(tmp_path: Path) -> None:
    async def story() -> None:
        folder = tmp_path / "config"
        folder.mkdir()
        path = written(folder, FIRST)
        async with followed(path) as next_change:
            shutil.rmtree(folder)
            gone = await next_change()
            folder.mkdir()
            written(folder, SECOND)

            assert isinstance(gone, ConfigError)
            assert title(await next_change()) == "changed"

    asyncio.run(story())


def test_a_fault_of_our_own_is_told_and_ends_nothing(tmp_path: Path) -> None:
    class Unreadable(Mapping[str, str]):
        def __iter__(self) -> NoReturn:
            raise RuntimeError("no environment today")

        def __getitem__(self, name: str) -> str:
            raise KeyError(name)

        def __len__(self) -> int:
            return 0

    async def story() -> None:
        path = written(tmp_path, FIRST)
        loaded = load(path, environ=KEYS)
        path.write_text(SECOND)
        async with asyncio.timeout(WITHIN_S):
            change = await anext(changes(loaded, environ=Unreadable()))

        assert isinstance(change, ConfigError)
        assert "no environment today" in str(change)

    asyncio.run(story())


def test_a_change_that_came_before_the_watch_began_is_told(tmp_path: Path) -> None:
    async def story() -> None:
        path = written(tmp_path, FIRST)
        loaded = load(path, environ=KEYS)
        path.write_text(SECOND)
        async with asyncio.timeout(WITHIN_S):
            change = await anext(changes(loaded, environ=KEYS))

        assert title(change) == "changed"

    asyncio.run(story())


def test_a_catalogue_of_ones_own_that_appears_is_a_change(tmp_path: Path) -> None:
    async def story() -> None:
        async with followed(written(tmp_path, FIRST)) as next_change:
            own = tmp_path / "catalogue.yaml"
            own.write_text("providers: {groq: {terms: mine}}", "utf-8")
            good = await next_change()
            own.write_text("providers: {groq: {pool: sea}}", "utf-8")
            bad = await next_change()

        assert isinstance(good, LoadedConfig)
        assert good.catalogue.providers["groq"].terms == "mine"
        assert isinstance(bad, ConfigError)
        assert bad.problems[0].key == "providers.groq.pool"

    asyncio.run(story())


def test_a_configuration_without_a_file_can_not_be_followed() -> None:
    loaded = load_document({"profiles": {"groq": {"provider": "groq"}}}, environ=KEYS)

    async def story() -> None:
        await anext(changes(loaded, environ=KEYS))

    with pytest.raises(ValueError, match="in no file"):
        asyncio.run(story())
