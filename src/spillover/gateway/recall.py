"""Remember conversations of OpenAI's Responses for clients that name them by their last answer's id.

In memory alone: for an hour, up to 200 MB in all, the longest unused forgotten first; never on disk.
Each client key has its own. Refuses to know what is remembered.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from spillover.engine import Answer
from spillover.errors import RequestError
from spillover.protocols.responses.recall import Said, previous_of, recalled, said_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from spillover.engine import Give

KEPT_S: Final = 3_600.0
MOST_BYTES: Final = 200_000_000


class Recall:
    """What was said in every conversation that may go on."""

    def __init__(self, now: Callable[[], float], *, most: int = MOST_BYTES) -> None:
        """Take the time from `now`, in seconds that never go back; keep `most` bytes."""
        self._now = now
        self._most = most
        self._size = 0
        self._said: OrderedDict[tuple[bytes, str], tuple[float, Said]] = OrderedDict()

    def completed(self, body: bytes, owner: bytes) -> bytes:
        """Return a request with all that was said before it.

        Raises `RequestError` where it goes on from an answer that is not remembered.
        """
        previous = previous_of(body)
        if previous is None:
            return body
        found = self.find(previous, owner)
        if found is None:
            raise RequestError(
                f"no answer {previous[:80]!r} is remembered: answers are kept for an hour in this "
                "gateway's memory; send the whole conversation as input",
                param="previous_response_id",
                code="previous_response_not_found",
            )
        return recalled(body, found.items)

    def find(self, name: str, owner: bytes) -> Said | None:
        """Return what is remembered under an answer's id; None: nothing, or not for `owner`."""
        self._forget_old()
        found = self._said.get((owner, name))
        if found is None:
            return None
        self._said.move_to_end((owner, name))
        return found[1]

    def forget(self, name: str, owner: bytes) -> None:
        """Forget an answer."""
        self._drop((owner, name))

    def keep(self, body: bytes, answer: bytes, owner: bytes, *, stream: bool) -> None:
        """Remember a request that was `completed`, and its answer or the end of its stream."""
        said = said_in(body, answer, stream=stream)
        if said is None or said.size > self._most:
            return
        key = owner, said.id
        self._drop(key)
        self._said[key] = self._now(), said
        self._size += said.size
        while self._size > self._most:
            self._drop(next(iter(self._said)))

    def _forget_old(self) -> None:
        since = self._now() - KEPT_S
        for key in [key for key, (at, _) in self._said.items() if at < since]:
            self._drop(key)

    def _drop(self, key: tuple[bytes, str]) -> None:
        found = self._said.pop(key, None)
        if found is not None:
            self._size -= found[1].size


class Remembered(Answer):
    """An answer that is remembered when it is whole."""

    def __init__(self, answer: Answer, recall: Recall, asked: bytes, owner: bytes) -> None:
        """Hand on `answer`, and have `recall` keep it as what the request `asked` came to."""
        super().__init__(answer.status, answer.headers, body=answer.body)
        self._answer = answer
        self._recall = recall
        self._asked = asked
        self._owner = owner
        self._last = b""
        """A stream's last chunk: a whole one ends with all that was said."""
        if answer.body is not None:
            recall.keep(asked, answer.body, owner, stream=False)

    async def pour(self, give: Give) -> bool:
        """Give the client the stream's chunks as they come; return whether more follow."""

        def kept(chunk: bytes) -> bool:
            self._last = chunk
            return give(chunk)

        more = await self._answer.pour(kept)
        if not more:
            self._recall.keep(self._asked, self._last, self._owner, stream=True)
        return more

    async def aclose(self) -> None:
        """End a stream that is not read to its end."""
        await self._answer.aclose()
