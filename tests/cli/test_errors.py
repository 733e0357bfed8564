"""`spillover errors` explains errors, and says what one is that is pasted."""

from __future__ import annotations

import json

import pytest

from spillover.catalogue.guide import load
from spillover.cli.entry import run
from spillover.cli.errors import entry_of, own_entry, provider_in, waits_of
from spillover.protocols.pasted import read_pasted
from spillover.protocols.records import classify, failure_of
from tests.cli.terminal import on_terminal, plain, spillover

ANSWER = 'HTTP/1.1 429 Too Many Requests\nretry-after: 7\n\n{"error": {"message": "slow down"}}'


def test_all_entries_are_listed_below_their_groups(capsys: pytest.CaptureFixture[str]) -> None:
    code = run(["errors"])

    lines = capsys.readouterr().out.splitlines()
    assert code == 0
    assert lines[0] == "HTTP statuses"
    assert all(any(line.startswith(f"  {e.code} ") for line in lines) for e in load().entries)


@pytest.mark.parametrize("name", ["529", "HTTP 529", "overloaded_error"])
def test_an_entry_says_what_spillover_does(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = run(["errors", name])

    out = capsys.readouterr().out
    assert code == 0
    assert out.startswith("Overloaded  529\n")
    assert "The profile is left out for 30 s" in out
    assert "as of" in out


def test_groqs_limits_come_with_their_waits(capsys: pytest.CaptureFixture[str]) -> None:
    run(["errors", "groq-rate-limit"])

    out = capsys.readouterr().out
    assert "llama-3.3-70b-versatile  tokens per minute    Token limit exceeded  5 s" in out
    limit, status = load().find("groq-rate-limit"), load().find("429")
    assert limit is not None
    assert status is not None
    assert waits_of(limit)
    assert waits_of(status) == ()


def test_a_name_that_is_none_is_answered_by_the_nearest(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["errors", "groq-ratelimt"]) == 1
    assert "did you mean 'groq-rate-limit'" in capsys.readouterr().err
    assert run(["errors", "%%%"]) == 1
    assert "spillover errors lists them" in capsys.readouterr().err


def test_json_is_the_guide_with_what_is_done(capsys: pytest.CaptureFixture[str]) -> None:
    run(["errors", "--json"])
    everything = json.loads(capsys.readouterr().out)
    run(["errors", "groq-rate-limit", "--json"])
    one = json.loads(capsys.readouterr().out)

    assert one in everything["errors"]
    assert everything["as_of"]
    assert one["spillover"]["conduct"]["bench"]["wait_s"] == 2.0
    assert one["spillover"]["conduct"]["bench"]["source"] == "catalogue"
    assert one["waits"][0]["wait_s"] == 2.0


def test_a_pasted_answer_is_explained_with_its_wait() -> None:
    shown = spillover("errors", "-", given=ANSWER)

    assert shown.returncode == 0
    assert shown.stdout.startswith("rate_limited  status 429, account's fault\n")
    assert "7 s: its headers say so (stated)" in shown.stdout
    assert "spillover errors rate_limited" in shown.stdout


def test_whose_error_it_is_may_be_said_or_is_guessed() -> None:
    text = "Rate limit reached for model `llama-3.1-8b-instant` on tokens per minute (TPM)"

    told = spillover("errors", "-", "--provider", "groq", given=f"429: {text}")
    guessed = spillover("errors", "-", given=f"429: {text}. See https://console.groq.com/docs")

    assert "10 s: the catalogue" in told.stdout
    assert "10 s: the catalogue" in guessed.stdout


@pytest.mark.parametrize(
    ("text", "provider"),
    [
        ("connect to https://api.groq.com/openai/v1", "groq"),
        ("Visit https://console.groq.com/settings", "groq"),
        ("generativelanguage.googleapis.com said", "gemini"),
        ("nothing is named", ""),
    ],
)
def test_a_provider_is_known_by_its_address(text: str, provider: str) -> None:
    assert provider_in(text) == provider


def test_an_answer_that_is_fine_is_said_to_be() -> None:
    shown = spillover("errors", "-", given='{"choices":[{"message":{"content":"hi"}}]}')

    assert shown.stdout == "no failure: this is an answer, or a part of one\n"


@pytest.mark.parametrize("text", ["bash: foo: command not found", "hello", "Traceback", "{1: 2}"])
def test_text_that_is_no_error_is_not_explained_as_one(text: str) -> None:
    shown = spillover("errors", "-", given=text)

    assert shown.returncode == 1
    assert shown.stdout == ""
    assert "nothing in it was recognised as an error" in shown.stderr


@pytest.mark.parametrize(
    "text",
    [
        "503",
        "HTTP/1.1 418 I'm a teapot",
        "Error code: 599",
        "httpx.ConnectError: nope",
        "openai.RateLimitError: whatever",
        "the model is overloaded",
        '{"error": {"message": "purple", "code": "purple"}}',
        "<html><body>Bad day</body></html>",
    ],
)
def test_text_that_bears_one_sign_of_an_error_is_explained(text: str) -> None:
    shown = spillover("errors", "-", given=text)

    assert shown.returncode == 0
    assert "fault" in shown.stdout


def test_an_answer_of_spillover_itself_is_explained_as_its_own() -> None:
    body = {"error": {"message": "all spent", "type": "spillover_error", "code": "all_exhausted"}}

    for pasted in (json.dumps(body), f"openai.RateLimitError: Error code: 429 - {body}"):
        shown = spillover("errors", "-", given=pasted)

        assert shown.stdout.startswith("Every profile is spent  all_exhausted\n")


@pytest.mark.parametrize(
    "text",
    [
        '{"error": {"type": "spillover_error"}}',
        '{"error": {"type": "spillover_error", "code": "rate_limited"}}',
        '{"error": {"type": "other", "code": "all_exhausted"}}',
    ],
)
def test_what_another_answered_is_not_taken_for_spillovers(text: str) -> None:
    assert own_entry(text) is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Error: connect ECONNREFUSED 127.0.0.1:4000", "ECONNREFUSED"),
        ("getaddrinfo EAI_AGAIN api.groq.com", "EAI_AGAIN"),
        ("httpx.ReadError: Connection reset by peer", "network"),
        ('{"error": {"code": 429, "message": "connect ETIMEDOUT upstream"}}', "rate_limited"),
    ],
)
def test_a_broken_connection_is_explained_by_its_own_name(text: str, code: str) -> None:
    failure = failure_of(read_pasted(text))

    assert failure is not None
    entry = entry_of(failure, text)
    assert entry is not None
    assert entry.code == code


def test_nothing_pasted_is_said_to_be_nothing() -> None:
    shown = spillover("errors", "-", given=" \n")

    assert shown.returncode == 1
    assert "paste an error" in shown.stderr


def test_json_lines_are_classified_as_the_library_does() -> None:
    records: list[dict[str, object]] = [
        {"provider": "groq", "status": 429, "headers": {"retry-after": "7"}, "body": "{}"},
        {"exception": "ECONNREFUSED"},
        {"status": 200, "body": '{"choices":[{"message":{"content":"hi"}}]}'},
    ]

    shown = spillover("errors", "-", "--json", given="\n".join(map(json.dumps, records)))

    answers = [json.loads(line) for line in shown.stdout.splitlines()]
    assert shown.returncode == 0
    assert list(answers[0]) == [
        "failure", "class", "scope", "stated_wait_s", "source", "confidence", "retry_elsewhere",
        "quota_window", "permanent",
    ]  # fmt: skip
    assert [answer["class"] for answer in answers] == [
        classify(record).class_ for record in records
    ]
    assert answers[0]["stated_wait_s"] == 7
    assert answers[2]["failure"] is False


def test_a_line_that_is_no_record_is_an_error_on_its_line() -> None:
    shown = spillover("errors", "-", "--json", given='nope\n\n[1]\n{"status": 503}\n')

    answers = [json.loads(line) for line in shown.stdout.splitlines()]
    assert shown.returncode == 1
    assert shown.stderr == ""
    assert [next(iter(answer)) for answer in answers] == ["error", "error", "failure"]
    assert answers[1]["error"].startswith("line 3: ")


@pytest.mark.parametrize("columns", [40, 80, 140])
@pytest.mark.parametrize("arguments", [(), ("groq-rate-limit",), ("520",)], ids=str)
def test_no_line_is_wider_than_the_terminal(arguments: tuple[str, ...], columns: int) -> None:
    drawn = plain(on_terminal("errors", *arguments, columns=columns))

    assert max(map(len, drawn.splitlines())) <= columns


def test_colours_go_to_a_terminal_and_never_with_no_color() -> None:
    assert "\x1b[" in on_terminal("errors", "429")
    assert "\x1b[3" not in on_terminal("errors", "429", NO_COLOR="1")
