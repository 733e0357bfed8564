"""Files of a set-up: who can read them, what the `.env` says, where each key comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spillover.doctor.judge.keys import ENVIRONMENT
from spillover.doctor.probe.files import (
    accesses,
    keys,
    proxies,
    state_accesses,
    surroundings,
    without_login,
)
from spillover.doctor.probe.subject import Subject
from tests.doctor.setup import set_up

if TYPE_CHECKING:
    from pathlib import Path

KEY = "gsk_" + "a1B2" * 13
GROQ = "profiles: {p: {provider: groq, model: m, api_key: '${GROQ_API_KEY}'}}\n"
BARE = "profiles: {p: {provider: groq, model: m}}\n"


def test_a_key_in_the_env_file_is_seen_as_it_is_written(tmp_path: Path) -> None:
    (key,) = keys(set_up(tmp_path, GROQ, f"GROQ_API_KEY=  '\"{KEY}\"'\n"))

    assert key.variables == ("GROQ_API_KEY",)
    assert key.place == "the .env"
    assert key.form is not None
    assert key.form.quoted
    assert KEY not in repr(key)


def test_the_environment_beats_the_env_file_and_hides_it(tmp_path: Path) -> None:
    subject = set_up(tmp_path, GROQ, f"GROQ_API_KEY={KEY}\n", GROQ_API_KEY=KEY[::-1])

    (key,) = keys(subject)

    assert key.place == ENVIRONMENT
    assert surroundings(subject).shadowed == ("GROQ_API_KEY",)


def test_the_providers_usual_variable_is_looked_for(tmp_path: Path) -> None:
    (missing,) = keys(set_up(tmp_path, BARE, GROQ_KEY="x"))
    (found,) = keys(set_up(tmp_path, BARE, GROQ_API_KEY=KEY))

    assert missing.missing == "GROQ_API_KEY is not set"
    assert missing.near == "GROQ_KEY"
    assert found.variables == ("GROQ_API_KEY",)
    assert found.is_own_address


def test_an_accounts_key_and_a_written_one_are_found(tmp_path: Path) -> None:
    account = "accounts: {a: {provider: groq, api_key: '${MINE}'}}\nprofiles: {p: {account: a, model: m}}\n"
    written = f"profiles: {{p: {{base_url: 'https://a.example', model: m, api_key: {KEY}}}}}\n"

    (of_account,) = keys(set_up(tmp_path, account, MINE=KEY))
    (in_file,) = keys(set_up(tmp_path, written))

    assert of_account.variables == ("MINE",)
    assert (in_file.variables, in_file.place) == ((), "the configuration")
    assert not in_file.is_own_address


def test_lines_without_a_meaning_are_numbered(tmp_path: Path) -> None:
    found = surroundings(set_up(tmp_path, BARE, f"# keys\n\nGROQ KEY\nexport GROQ_API_KEY={KEY}\n"))

    assert found.odd_lines == (3,)
    assert not surroundings(set_up(tmp_path, BARE)).shadowed


def test_no_env_file_is_told_as_such(tmp_path: Path) -> None:
    found = surroundings(set_up(tmp_path, BARE))

    assert not found.env_exists


def test_files_with_secrets_are_looked_at_and_others_are_not(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(KEY)
    (tmp_path / "catalogue.yaml").write_text("providers: {}\n")
    plain = set_up(tmp_path, GROQ, "", GROQ_API_KEY=KEY)
    secret = set_up(
        tmp_path,
        "server: {admin_key: literal-admin-key}\n"
        "profiles: {p: {base_url: 'https://a.example', model: m, api_key: 'file:key'}}\n",
    )

    assert [each.path.name for each in accesses(plain)] == [".env"]
    assert [each.path.name for each in accesses(secret)] == [".env", "spillover.yaml", "key"]
    assert accesses(secret)[0].mode is not None


def test_the_state_folder_may_not_be_there_yet(tmp_path: Path) -> None:
    (found,) = state_accesses(set_up(tmp_path, BARE))

    assert found.mode is None


def test_a_set_up_without_a_configuration_has_no_keys(tmp_path: Path) -> None:
    subject = Subject.of(tmp_path / "spillover.yaml", {}, None)

    assert keys(subject) == ()
    assert [each.path.name for each in accesses(subject)] == [".env"]


def test_proxies_are_seen_without_their_logins(tmp_path: Path) -> None:
    subject = set_up(
        tmp_path, BARE, "NO_PROXY=localhost\n", HTTPS_PROXY="http://me:secret@proxy:3128"
    )

    found = proxies(subject)

    assert found.proxies == {"https": "http://proxy:3128"}
    assert (found.no_proxy, found.env_no_proxy) == ("", "localhost")
    assert without_login("proxy:3128") == "proxy:3128"
