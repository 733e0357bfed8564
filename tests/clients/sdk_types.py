"""The official SDKs read every answer, stream and error that a translation writes.

`python -m tests.clients.sdk_types`, in an environment that has msgspec and the newest `anthropic`,
`google-genai` and `openai`. Each SDK's own client asks a server on loopback that answers what the
writers wrote: nothing leaves the machine.
"""

from __future__ import annotations

import importlib
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

from spillover.protocols.anthropic import answers as anthropic_answers
from spillover.protocols.anthropic import errors as anthropic_errors
from spillover.protocols.anthropic import streams_out as anthropic_streams
from spillover.protocols.chat import answers as chat_answers
from spillover.protocols.chat import streams_out as chat_streams
from spillover.protocols.conversation.requests import Text, ToolCall
from spillover.protocols.gemini import answers as gemini_answers
from spillover.protocols.gemini import errors as gemini_errors
from spillover.protocols.gemini import streams_out as gemini_streams
from spillover.protocols.openai_errors import error_body
from spillover.protocols.responses import answers as responses_answers
from spillover.protocols.responses import streams_out as responses_streams
from tests.protocols.conversations import ANSWERS, STAMP, in_pieces, streamed

if TYPE_CHECKING:
    from collections.abc import Callable

    from spillover.protocols.conversation.answers import Answer

ERROR = error_body("no_profile_available", "no profile can serve", request_id="r1")
STATUSES = (400, 401, 403, 404, 413, 429, 500, 503)


class Answering(HTTPServer):
    """Answers every request with what was last put into it."""

    status = 200
    body = b""
    kind = "application/json"

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answerer)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def put(self, body: bytes, *, status: int = 200, stream: bool = False) -> None:
        self.status, self.body = status, body
        self.kind = "text/event-stream" if stream else "application/json"


class _Answerer(BaseHTTPRequestHandler):
    server: Answering

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.send_response(self.server.status)
        self.send_header("content-type", self.server.kind)
        self.send_header("content-length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *_: object) -> None:
        pass


def expected(answer: Answer) -> tuple[str, list[str]]:
    """Return the text and the names of the calls that an SDK is to find."""
    parts = answer.choices[0].parts if answer.choices else ()
    text = "".join(part.text for part in parts if isinstance(part, Text))
    return text, [part.name for part in parts if isinstance(part, ToolCall)]


def equal(found: object, wanted: object, where: str) -> None:
    """Exit with both where they differ."""
    if found != wanted:
        sys.exit(f"{where}: found {found!r}, wanted {wanted!r}")


def raises(kind: type[Exception], ask: Callable[[], object], where: str) -> Any:
    """Return the error that asking raises; exit where it is none of `kind`."""
    try:
        ask()
    except kind as error:
        return error
    return sys.exit(f"{where}: no {kind.__name__}")


def check_anthropic(server: Answering) -> None:
    """Ask with Anthropic's SDK; its own validation is made strict by its types."""
    sdk: Any = importlib.import_module("anthropic")
    types: Any = importlib.import_module("anthropic.types")
    shared: Any = importlib.import_module("anthropic.types.shared")
    client = sdk.Anthropic(base_url=server.address, api_key="none", max_retries=0)
    asked: dict[str, Any] = {
        "model": "m",
        "max_tokens": 9,
        "messages": [{"role": "user", "content": "Hi"}],
    }

    def told(message: Any) -> tuple[str, list[str]]:
        types.Message.model_validate(message.to_dict())
        text = "".join(block.text for block in message.content if block.type == "text")
        return text, [block.name for block in message.content if block.type == "tool_use"]

    for name, answer in ANSWERS.items():
        server.put(anthropic_answers.write_answer(answer, STAMP))
        equal(told(client.messages.create(**asked)), expected(answer), f"anthropic {name}")
        stream = streamed(anthropic_streams.StreamWriter(STAMP), in_pieces(answer))
        server.put(stream, stream=True)
        with client.messages.stream(**asked) as found:
            equal(told(found.get_final_message()), expected(answer), f"anthropic {name} streamed")
    for status in STATUSES:
        server.put(anthropic_errors.redressed(ERROR, status), status=status)
        error = raises(sdk.APIStatusError, lambda: client.messages.create(**asked), "anthropic")
        equal(error.status_code, status, "anthropic status")
        if status != 413:  # documented, and not among the SDK's types
            shared.ErrorResponse.model_validate(error.body)
    writer = anthropic_streams.StreamWriter(STAMP)
    begun = b"".join(map(writer.feed, in_pieces(ANSWERS["text"])))
    server.put(begun + writer.error(ERROR, 502), stream=True)
    error = raises(
        sdk.APIStatusError, lambda: list(client.messages.create(**asked, stream=True)), "anthropic"
    )
    equal(error.body["error"]["message"], "no profile can serve", "anthropic error in a stream")


def check_gemini(server: Answering) -> None:
    """Ask with Google's SDK, whose types take no field that they don't know."""
    sdk: Any = importlib.import_module("google.genai")
    errors: Any = importlib.import_module("google.genai.errors")
    options = {"base_url": server.address, "retry_options": {"attempts": 1}}
    client = sdk.Client(api_key="none", http_options=options)
    asked: dict[str, Any] = {"model": "m", "contents": "Hi"}

    def told(found: Any) -> tuple[str, list[str]]:
        said = [part for c in found.candidates or () for part in c.content.parts or ()]
        text = "".join(part.text for part in said if part.text and not part.thought)
        return text, [part.function_call.name for part in said if part.function_call]

    for name, answer in ANSWERS.items():
        server.put(gemini_answers.write_answer(answer, STAMP))
        equal(told(client.models.generate_content(**asked)), expected(answer), f"gemini {name}")
        server.put(streamed(gemini_streams.StreamWriter(STAMP), in_pieces(answer)), stream=True)
        pieces = [told(chunk) for chunk in client.models.generate_content_stream(**asked)]
        whole = (
            "".join(text for text, _ in pieces),
            [call for _, calls in pieces for call in calls],
        )
        equal(whole, expected(answer), f"gemini {name} streamed")
    for status in STATUSES:
        server.put(gemini_errors.redressed(ERROR, status), status=status)
        error = raises(errors.APIError, lambda: client.models.generate_content(**asked), "gemini")
        equal((error.code, error.message), (status, "no profile can serve"), "gemini status")
    writer = gemini_streams.StreamWriter(STAMP)
    begun = b"".join(map(writer.feed, in_pieces(ANSWERS["text"])))
    server.put(begun + writer.error(ERROR, 502), stream=True)
    error = raises(
        errors.APIError, lambda: list(client.models.generate_content_stream(**asked)), "gemini"
    )
    equal((error.code, error.message), (502, "no profile can serve"), "gemini error in a stream")


def check_openai(server: Answering) -> None:
    """Ask with OpenAI's SDK, by both its protocols."""
    sdk: Any = importlib.import_module("openai")
    client = sdk.OpenAI(base_url=server.address, api_key="none", max_retries=0)
    chat: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
    asked: dict[str, Any] = {"model": "m", "input": "Hi"}

    def said(found: Any) -> tuple[str, list[str]]:
        message = found.choices[0].message if found.choices else None
        calls = [] if message is None else message.tool_calls or []
        text = "" if message is None else message.content or ""
        return text, [call.function.name for call in calls]

    def told(found: Any) -> tuple[str, list[str]]:
        calls = [item.name for item in found.output if item.type == "function_call"]
        return found.output_text, calls

    def in_all(chunks: list[Any]) -> tuple[str, list[str]]:
        deltas = [choice.delta for chunk in chunks for choice in chunk.choices]
        calls = [call for delta in deltas for call in delta.tool_calls or ()]
        names = [call.function.name for call in calls if call.function.name]
        return "".join(delta.content or "" for delta in deltas), names

    for name, answer in ANSWERS.items():
        server.put(chat_answers.write_answer(answer, STAMP))
        equal(said(client.chat.completions.create(**chat)), expected(answer), f"chat {name}")
        server.put(streamed(chat_streams.StreamWriter(STAMP), in_pieces(answer)), stream=True)
        pieces = list(client.chat.completions.create(**chat, stream=True))
        equal(in_all(pieces), expected(answer), f"chat {name} streamed")
        server.put(responses_answers.write_answer(answer, STAMP))
        equal(told(client.responses.create(**asked)), expected(answer), f"responses {name}")
        server.put(streamed(responses_streams.StreamWriter(STAMP), in_pieces(answer)), stream=True)
        with client.responses.stream(**asked) as stream:
            last = list(stream)[-1].response
            equal(told(last), expected(answer), f"responses {name} stream")
    asks: list[tuple[Any, Callable[[], Any]]] = [
        (
            chat_streams.StreamWriter(STAMP),
            lambda: list(client.chat.completions.create(**chat, stream=True)),
        ),
        (
            responses_streams.StreamWriter(STAMP),
            lambda: list(client.responses.create(**asked, stream=True)),
        ),
    ]
    for writer, ask in asks:
        begun = b"".join(map(writer.feed, in_pieces(ANSWERS["text"])))
        server.put(begun + writer.error(ERROR, 502), stream=True)
        error = raises(sdk.APIError, ask, "openai")
        equal(error.code, "no_profile_available", "openai error in a stream")


def main() -> int:
    """Check every SDK."""
    server = Answering()
    for check in (check_anthropic, check_gemini, check_openai):
        check(server)
        print(f"{check.__name__}: {len(ANSWERS)} answers, streamed and not; {len(STATUSES)} errors")
    return 0


if __name__ == "__main__":
    sys.exit(main())
