"""No secret is left in a text, whatever place it stands in, and the rest stays as it is."""

from __future__ import annotations

import pytest

from spillover.config.document import parse
from spillover.config.loader import load_document
from spillover.recovery.withholding import Withheld, masked, withhold

SECRET = "Kw2Lm9Xp4Vd8Kw2Lm9Xp4Vd8"
CONFIG = f"""\
# it was gsk_{SECRET} once
server:
  admin_key: "{SECRET}-admin"   # mine
  client_keys: ['${{CLIENT}}', '{SECRET}-client']
notify: [desktop, "ntfy://{SECRET}", {{to: "slack://{SECRET}", events: [fallback]}}]
accounts:
  two: {{base_url: "http://127.0.0.1:2/v1", api_key: '{SECRET}-two'}}
profiles:
  groq: {{provider: groq, api_key: gsk_{SECRET}, model: m}}
  again: {{provider: groq, api_key: gsk_{SECRET}, model: m2}}
  other: {{account: two, model: m}}
  local:
    base_url: http://127.0.0.1:1/v1
    model: m
    api_key: any
    headers: {{X-Title: Mine, Authorization: "Basic {SECRET}", X-Two: "${{TWO}}"}}
    upstream: {{command: [serve, "--key=sk-{SECRET}"], env: {{TOKEN: "{SECRET}-env"}}}}
  ring: {{provider: groq, api_key: "keyring:ring-of-mine", model: m3}} # RING
  file: {{provider: groq, api_key: "file:keys/of-mine", model: m4}}
  with-default: {{provider: groq, api_key: "${{SOME:-{SECRET}}}", model: m5}}
"""


def text_of(withheld: Withheld) -> str:
    return withheld.source.decode()


def test_every_secret_becomes_a_variable_that_says_whose_it_is() -> None:
    held = withhold(CONFIG.replace(f"${{SOME:-{SECRET}}}", "${SOME}").encode(), {})

    assert held.readable
    assert {each.key: each.name for each in held.variables} == {
        "server.admin_key": "SPILLOVER_SERVER_ADMIN_KEY",
        "server.client_keys[1]": "SPILLOVER_CLIENT_KEYS_2",
        "notify[1]": "SPILLOVER_NOTIFY_2",
        "notify[2].to": "SPILLOVER_3_TO",
        "accounts.two.api_key": "TWO_API_KEY",
        "profiles.groq.api_key": "GROQ_API_KEY",
        "profiles.again.api_key": "GROQ_API_KEY",
        "profiles.local.headers.Authorization": "LOCAL_HEADERS_AUTHORIZATION",
        "profiles.local.upstream.command[1]": "LOCAL_UPSTREAM_COMMAND_2",
        "profiles.local.upstream.env.TOKEN": "LOCAL_UPSTREAM_ENV_TOKEN",
    }
    assert SECRET not in text_of(held)
    for stays in ("# mine", "X-Title: Mine", "api_key: any", "keyring:ring-of-mine", "${CLIENT}"):
        assert stays in text_of(held)


def test_what_was_left_out_comes_back_by_its_variables() -> None:
    text = CONFIG.replace(f"${{SOME:-{SECRET}}}", "${SOME}")
    source = "".join(
        line for line in text.splitlines(keepends=True) if "# RING" not in line
    ).encode()
    before = parse(source, file="").document
    held = withhold(source, {})
    after = parse(held.source, file="").document

    assert after["profiles"]["groq"]["api_key"] == "${GROQ_API_KEY}"
    del before["notify"], after["notify"]
    environ = {each.name: "value-of-it" for each in held.variables}
    environ |= {"CLIENT": "client-key-1", "TWO": "two-2", "SOME": "some-3"}
    loaded = load_document(after, environ=environ)
    assert set(loaded.config.profiles) == set(before["profiles"])


def test_a_variable_that_means_something_else_is_not_taken() -> None:
    source = b"profiles: {groq: {provider: groq, api_key: abcdefgh, model: m}}"

    other = withhold(source, {"GROQ_API_KEY": "another"})
    same = withhold(source, {"GROQ_API_KEY": "abcdefgh"})
    used = withhold(source + b"\naliases: {a: '${GROQ_API_KEY}'}", {})

    assert [held.variables[0].name for held in (other, same, used)] == [
        "GROQ_API_KEY_2", "GROQ_API_KEY", "GROQ_API_KEY_2"
    ]  # fmt: skip


def test_a_default_within_a_reference_is_a_secret_too_when_it_looks_like_one() -> None:
    held = withhold(f"profiles: {{a: {{api_key: '${{A:-gsk_{SECRET}}}'}}}}".encode(), {})

    assert SECRET not in text_of(held)


@pytest.mark.parametrize(
    "broken",
    [
        f"profiles: {{groq: {{api_key: {SECRET}, model: [",
        f"profiles:\n  groq:\n\tapi_key: '{SECRET}'\n",
        f'"admin_key": "{SECRET}"\nserver: [',
        f"client_keys: [{SECRET}, {SECRET}\n",
        f"base_url: [http://me:{SECRET}@host/",
        f"- sk-{SECRET}",
        f"MY_TOKEN: {SECRET}\n- x: [",
    ],
)
def test_what_is_no_configuration_has_all_masked_that_may_be_secret(broken: str) -> None:
    held = withhold(broken.encode(), {})

    assert not held.readable
    assert held.variables == ()
    assert SECRET not in text_of(held)


@pytest.mark.parametrize(
    "written",
    [
        f"server: {{client_keys: ['pre${{X}}{SECRET}']}}",
        f"server: {{client_keys: ['${{X:-{SECRET}}}']}}",
        f"profiles: {{a: {{api_key: 'p-${{X}}-{SECRET}'}}}}",
        f"profiles: {{a: {{api_key: '${{X:-{SECRET}}}'}}}}",
        f"profiles: {{a: {{headers: {{X-Key: 'Basic ${{X}}{SECRET}'}}}}}}",
        f"profiles: {{a: {{base_url: 'https://{SECRET}@host/v1'}}}}",
        f"profiles: {{a: {{base_url: 'https://host/v1?key={SECRET}'}}}}",
        f"profiles: {{a: {{upstream: {{command: [run, --api-key, {SECRET}, --port, '1']}}}}}}",
        f"profiles: {{a: {{upstream: {{command: [run, --hf_token={SECRET}]}}}}}}",
        f"accounts: {{a: {{upstream: {{command: [run, -password, '{SECRET}${{X}}']}}}}}}",
        f"notify: ['ntfy://${{X:-{SECRET}}}']",
    ],
)
def test_a_secret_beside_a_variable_or_an_arguments_name_is_one(written: str) -> None:
    held = withhold(written.encode(), {})

    assert held.readable
    assert SECRET not in text_of(held)
    assert len(held.variables) == 1


def test_short_keys_of_the_gateway_itself_are_secrets() -> None:
    held = withhold(b"server: {admin_key: abc, client_keys: [de]}", {})

    assert [each.key for each in held.variables] == ["server.admin_key", "server.client_keys[0]"]


@pytest.mark.parametrize(
    "written",
    [
        "profiles: {a: {api_key: '${X}', headers: {Authorization: 'Bearer ${X}'}}}",
        "profiles: {a: {api_key: 'keyring:mine'}}",
        "profiles: {a: {base_url: 'https://${HOST}/v1'}}",
        "profiles: {a: {upstream: {command: [run, --key, '${X}', --max-tokens, '5', --key-file=x]}}}",
        "notify: ['ntfy://${X}/topic']",
    ],
)
def test_what_only_refers_to_secrets_stays_as_it_is(written: str) -> None:
    held = withhold(written.encode(), {})

    assert text_of(held) == written
    assert held.variables == ()


def test_a_text_that_takes_no_variables_is_masked() -> None:
    text = f"base_url: https://me:{SECRET}@host/v1?key={SECRET}\napi_key: {SECRET}\n"

    assert SECRET not in masked(text.encode()).decode()
    assert masked(b"base_url: https://host/v1  # mine") == b"base_url: https://host/v1  # mine"
