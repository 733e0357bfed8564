"""Whole files: everything wrong at once, secrets unseen, nothing that crashes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spillover.config.assemble import assemble
from spillover.config.loader import LoadedConfig, digest, load, load_document
from spillover.config.secrets import Secret
from spillover.errors import ConfigError
from tests.config.writing import EVERY_SETTING, KEYS, loaded, problems, the_problem, written

SMALL = """\
profiles:
  groq: {provider: groq, limits: free}
"""


def test_the_whole_example_loads_without_a_complaint(tmp_path: Path) -> None:
    config = loaded(tmp_path, EVERY_SETTING)

    assert (config.warnings, config.missing_keys) == ((), ())
    assert config.path == tmp_path / "spillover.yaml"
    assert list(config.config.profiles) == [
        "chutes-free",
        "groq",
        "glm",
        "gemini",
        "openai-paid",
        "ollama",
    ]


def test_everything_wrong_is_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        """\
        sever: {port: 4400}
        server: {port: many}
        profiles:
          groq: {provider: grok, modle: x, limits: {tokens_per_hor: 5K}}
          groq: {provider: groq}
          paid: {provider: openai, model: unheard-of, limits: {cost_per_day: 1}}
          free: {provider: groq, model: llama, limits: free}
          here: {base_url: "${NOBODY}", model: m}
        chains:
          default: [groq, gorq, groq]
          coding: {profiles: [default], strategy: luck}
        aliases: {"gpt-*": codin}
        storage: redis://x
        """,
    )

    assert [(problem.line, problem.key) for problem in found] == [
        (1, "sever"),
        (2, "server.port"),
        (4, "profiles.groq.limits.tokens_per_hor"),
        (4, "profiles.groq.modle"),
        (4, "profiles.groq.provider"),
        (5, "profiles.groq"),
        (6, "profiles.paid.limits"),
        (7, "profiles.free.limits"),
        (8, "profiles.here.base_url"),
        (10, "chains.default[1]"),
        (10, "chains.default[2]"),
        (11, "chains.coding.profiles[0]"),
        (11, "chains.coding.strategy"),
        (12, "aliases.gpt-*"),
        (13, "storage"),
    ]
    assert {"server", "model", "tokens_per_hour", "groq", "coding"} <= {
        problem.nearest for problem in found
    }


def test_a_problem_is_told_in_one_line_with_file_line_and_key(tmp_path: Path) -> None:
    problem = the_problem(tmp_path, "profiles:\n  groq: {provider: groq, modle: x}\n")

    assert str(problem).startswith(
        f"{tmp_path / 'spillover.yaml'}:2:profiles.groq.modle: found 'modle', expected one of title,"
    )
    assert str(problem).endswith("did you mean 'model'?")


def test_control_characters_in_a_models_name_are_refused_where_they_stand(tmp_path: Path) -> None:
    text = 'profiles:\n  groq: {provider: groq, model: "m\\e[2Jx"}\n'

    shown = str(the_problem(tmp_path, text))

    assert shown.startswith(f"{tmp_path / 'spillover.yaml'}:2:profiles.groq.model: found ")
    assert "text without control characters" in shown
    assert shown.isprintable()


def test_what_is_malformed_is_not_told_as_missing_too(tmp_path: Path) -> None:
    found = problems(tmp_path, "profiles:\n  x: {base_url: not an address, model: [m]}\n")

    assert [problem.key for problem in found] == ["profiles.x.base_url", "profiles.x.model"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "an empty file"),
        ("# nothing\n", "an empty file"),
        ("- a\n- b\n", "no mapping"),
        ("hello", "no mapping"),
        ("profiles: [", "broken YAML"),
        ("{}", "no profiles"),
        ("profiles:\n", "nothing"),
    ],
    ids=repr,
)
def test_a_file_that_holds_no_configuration_says_so(tmp_path: Path, text: str, found: str) -> None:
    assert found in problems(tmp_path, text)[0].found


def test_a_file_that_is_not_there_names_the_command_that_writes_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="spillover init writes one"):
        load(tmp_path / "spillover.yaml", environ={})
    with pytest.raises(ConfigError, match="no readable file"):
        load(tmp_path, environ={})


def test_the_variables_beside_the_file_are_read_and_the_environment_wins(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("GROQ_API_KEY=from-file\nMY_MODEL=from-file\n")
    path = written(
        tmp_path,
        "profiles:\n  groq: {provider: groq, api_key: '${GROQ_API_KEY}', model: '${MY_MODEL}'}\n",
    )

    config = load(path, environ={"GROQ_API_KEY": "from-environment"}).config

    assert config.profiles["groq"].api_key == Secret("from-environment")
    assert config.profiles["groq"].model == "from-file"


def test_a_missing_key_is_no_error_and_is_told_apart(tmp_path: Path) -> None:
    config = loaded(tmp_path, "profiles:\n  x: {provider: groq, api_key: '${MY_KEY}'}\n")

    (missing,) = config.missing_keys
    assert (missing.line, missing.key) == (2, "profiles.x.api_key")
    assert missing.found == "nothing (MY_KEY is not set)"


def test_a_missing_key_of_the_gateway_is_told_like_any_other(tmp_path: Path) -> None:
    config = loaded(
        tmp_path, "server: {host: 0.0.0.0, client_keys: ['${NOBODY}'], admin_key: a}\n" + SMALL
    )

    (missing,) = config.missing_keys
    assert missing.key == "server.client_keys[0]"
    assert missing.found == "nothing (NOBODY is not set)"


def test_missing_keys_are_told_beside_errors(tmp_path: Path) -> None:
    text = """\
        server: {client_keys: ["${NOBODY}"], admin_key: a, port: x}
        profiles:
          x: {provider: groq, api_key: "${MY_KEY}", model: m, limits: {token: 1}}
        """

    found = problems(tmp_path, text)

    assert {problem.key for problem in found} == {
        "server.client_keys[0]",
        "server.port",
        "profiles.x.api_key",
        "profiles.x.limits.token",
    }


def test_no_key_is_missed_where_its_place_is_malformed(tmp_path: Path) -> None:
    assert (
        the_problem(
            tmp_path,
            "profiles:\n  x: {provider: chutes, api_key: [1], model: m}\n",
            CHUTES_API_KEY="",
        ).key
        == "profiles.x.api_key"
    )


def test_an_empty_client_key_never_opens_the_gateway(tmp_path: Path) -> None:
    text = "server: {host: 0.0.0.0, client_keys: ['${EMPTY:-}'], admin_key: a}\n" + SMALL

    assert any(problem.key == "server.client_keys[0]" for problem in problems(tmp_path, text))


def test_names_are_looked_up_after_expansion(tmp_path: Path) -> None:
    text = SMALL + "chains: {default: ['${FIRST}']}\n"

    assert (
        loaded(tmp_path, text, FIRST="groq").config.chains["default"].profiles[0].profile == "groq"
    )
    assert the_problem(tmp_path, text, FIRST="grok").nearest == "groq"


def test_a_variable_can_not_change_the_structure(tmp_path: Path) -> None:
    config = loaded(
        tmp_path,
        "profiles:\n  groq: {provider: groq, title: '${TITLE}'}\n",
        TITLE="x}\nserver: {host: 0.0.0.0",
    )

    assert config.config.profiles["groq"].title == "x}\nserver: {host: 0.0.0.0"
    assert config.config.server.host == "127.0.0.1"


def test_the_document_keeps_what_was_written(tmp_path: Path) -> None:
    config = loaded(tmp_path, "profiles:\n  groq: {provider: groq, api_key: '${GROQ_API_KEY}'}\n")

    assert config.document["profiles"]["groq"]["api_key"] == "${GROQ_API_KEY}"


def test_nothing_that_is_shown_of_a_configuration_holds_a_secret(tmp_path: Path) -> None:
    config = loaded(tmp_path, EVERY_SETTING, SECRET="hunter2-hunter2")

    shown = f"{config!r} {config.config!r} {config.config}"

    assert all(key not in shown for key in KEYS.values())


def test_the_redactor_knows_every_secret_and_the_environments_keys(tmp_path: Path) -> None:
    config = loaded(
        tmp_path,
        """\
        server: {client_keys: [client-key-0001], admin_key: admin-key-0001}
        accounts: {a: {provider: groq, api_key: account-key-0001}}
        profiles:
          p: {account: a, headers: {x-token: header-token-0001}}
        notify: ["ntfy://topic-token-0001", desktop]
        """,
        HF_TOKEN="token-of-the-environment",
    )
    texts = [
        "client-key-0001",
        "admin-key-0001",
        "account-key-0001",
        "header-token-0001",
        "ntfy://topic-token-0001",
        "token-of-the-environment",
    ]

    redacted = config.redactor.redact(" ".join(texts))
    assert config.redactor.redact("the desktop") == "the desktop", "a word is no secret"

    assert all(text not in redacted for text in texts)


def test_a_document_in_no_file_loads_alike() -> None:
    config = load_document({"profiles": {"groq": {"provider": "groq"}}}, environ=KEYS)

    assert (config.path, config.file, config.missing_keys) == (None, "<document>", ())
    with pytest.raises(ConfigError, match=r"<document>:profiles\.groq\.provider"):
        load_document({"profiles": {"groq": {"provider": "grok", "model": "m"}}}, environ=KEYS)


def test_keys_of_a_document_are_text_whatever_they_were() -> None:
    config = load_document({"profiles": {5: {"provider": "groq"}}}, environ=KEYS)

    assert list(config.config.profiles) == ["5"]
    with pytest.raises(ConfigError, match=r"profiles\.5\.modle"):
        load_document({"profiles": {5: {"modle": "x"}}}, environ=KEYS)


def test_the_digest_changes_with_the_file_its_variables_and_its_secrets(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("one")
    text = "profiles:\n  groq: {provider: groq, api_key: 'file:key'}\n"
    seen = {loaded(tmp_path, text).digest, loaded(tmp_path, text).digest}

    key.write_text("two")
    seen.add(loaded(tmp_path, text).digest)
    (tmp_path / ".env").write_text("A=1")
    seen.add(loaded(tmp_path, text).digest)
    seen.add(loaded(tmp_path, text + "# edited\n").digest)

    assert len(seen) == 4


def test_the_digest_of_what_is_not_there_is_one_too(tmp_path: Path) -> None:
    assert digest(tmp_path / "nobody", files=(tmp_path / "nobody2",))


def test_a_catalogue_of_ones_own_counts_for_the_configuration_beside_it(tmp_path: Path) -> None:
    (tmp_path / "catalogue.yaml").write_text(
        "providers: {acme: {base_url: 'https://acme.example/v1', default_model: m1}}", "utf-8"
    )

    found = loaded(tmp_path, "profiles: {p: {provider: acme, api_key: k}}")

    routing = assemble(found, found.catalogue)
    assert routing.profiles["p"].model == "m1"
    assert routing.endpoints["p"].chat_url == "https://acme.example/v1/chat/completions"


def test_what_is_wrong_with_it_is_told_with_what_is_wrong_with_the_configuration(
    tmp_path: Path,
) -> None:
    (tmp_path / "catalogue.yaml").write_text("\n\n\nproviders: {groq: {pool: sea}}", "utf-8")

    found = problems(tmp_path, "profiles: {p: {provider: grok, model: m, api_key: k}}")

    assert [(Path(problem.file).name, problem.line) for problem in found] == [
        ("catalogue.yaml", 4),
        ("spillover.yaml", 1),
    ]


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "profiles",
                    "chains",
                    "groq",
                    "provider",
                    "limits",
                    "model",
                    "per",
                    "requests",
                    "free",
                ]
            )
            | st.text(max_size=4),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(
    st.dictionaries(
        st.sampled_from(
            ["profiles", "chains", "aliases", "accounts", "server", "notify", "storage", "privacy"]
        ),
        JUNK,
    )
)
def test_whatever_a_document_holds_it_loads_or_says_what_is_wrong(
    document: dict[str, object],
) -> None:
    try:
        found: LoadedConfig | ConfigError = load_document(document, environ={})
    except ConfigError as error:
        found = error

    told = () if isinstance(found, LoadedConfig) else found.problems
    assert isinstance(found, LoadedConfig) or told
    assert all("\n" not in str(problem) for problem in told)
