"""Read an error as people paste it: what `curl -i` printed, a body, an exception, a line of a log.

Rules of this file:
- Of several heads the last one counts: those before are redirects, a proxy's, or `100 Continue`.
- Text that holds JSON is a body, however it is led in; all else is an exception's.

Refuses to know what an error means, and who the provider is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from spillover.protocols.records import Record

_HEAD: Final = re.compile(r"^(?:< ?)?HTTP/\d(?:\.\d)? +(?P<status>\d{3})\b.*$", re.MULTILINE)
_HEADER: Final = re.compile(r"(?:< ?)?(?P<name>[A-Za-z0-9_-]{1,64}): ?(?P<value>.*)")
_NOISE: Final = re.compile(r"(?:\* |> |[{}] \[\d+ bytes data\]|<$).*")
"""What `curl -v` prints around an answer."""
_JSON: Final = re.compile(r"\{\s*[\"']|\[\s*\{|^(?:data|event):|^<", re.MULTILINE)
_MOST_CHARS: Final = 1 << 20


def read_pasted(text: str) -> Record:
    """Return what is known of the exchange that a text shows, as a record to classify."""
    text = text[:_MOST_CHARS].replace("\r\n", "\n").strip()
    head = None
    for found in _HEAD.finditer(text):
        head = found
    if head is None:
        return {"body": text} if _JSON.search(text) else {"exception": text}
    headers: dict[str, str] = {}
    lines = text[head.end() :].lstrip("\n").split("\n") if head.end() < len(text) else []
    while lines:
        line = lines.pop(0).strip()
        header = _HEADER.fullmatch(line)
        if header is None:
            lines = lines if not line or _NOISE.fullmatch(line) else [line, *lines]
            break
        headers[header["name"].lower()] = header["value"]
    body = "\n".join(line for line in lines if not _NOISE.fullmatch(line)).strip()
    return {"status": int(head["status"]), "headers": headers, "body": body}
