"""Compose the play of an admitted request: what the model says, spoiled as a fault says.

What a model does not accept (a prompt too long, a field it does not know) is refused here, behind
the limits, so it counts. Refuses to know sockets, threads and counting.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from spillover.simulator.answers import Voice, answer
from spillover.simulator.asked import Asked, Operation
from spillover.simulator.desk import Refusal
from spillover.simulator.exchange import Composed
from spillover.simulator.flavours import Flavour, StreamUsage
from spillover.simulator.native_speech import NATIVE, NativeSpeaker, responses_error
from spillover.simulator.plays import (
    NO_FAULT,
    Framing,
    Play,
    Tempo,
    broken_play,
    reply_play,
    stream_play,
)
from spillover.simulator.records import Outcome
from spillover.simulator.replies import Circumstances, Complaint, Headers, Reply
from spillover.simulator.spec import Model, ProviderSpec, limits
from spillover.simulator.speech import Speaker, embeddings_body, failing

if TYPE_CHECKING:
    from spillover.simulator.faults import Fault

_ANY_MODEL: Final = Model()
_OK: Final = 200
_STREAM: Final = "text/event-stream; charset=utf-8"
_SCRIPTED: Final = {
    Complaint.RATE_LIMITED: ("requests=30/minute", 2.0),
    Complaint.QUOTA_EXHAUSTED: ("requests=200/day", 432.0),
}
"""The limit, all used, and the wait that a scripted refusal speaks of."""


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """What surrounds one answer."""

    framing: Framing
    told: Headers
    """Headers of the caller's limits."""
    serial: int
    """The number of this request."""
    now: float


class Composer:
    """Answers for one spec."""

    def __init__(self, spec: ProviderSpec, flavour: Flavour) -> None:
        """Take the spec and its flavour."""
        self._spec = spec
        self._flavour = flavour

    def compose(self, asked: Asked, setting: Setting, fault: Fault | None) -> Composed:
        """Return what is performed for an admitted request, and the usage that it amounts to."""
        fault = fault or NO_FAULT
        tempo = self._tempo(fault)
        broken = broken_play(fault, tempo)
        if broken is not None:
            return Composed(play=broken, status=0, outcome=Outcome.FAULTED)
        refused = self._refused(asked, fault)
        if refused is not None:
            return self._instead(refused, setting, fault, outcome=Outcome.REJECTED)
        replaced = self._replaced(asked, fault, now=setting.now)
        if replaced is not None:
            return self._instead(replaced, setting, fault, outcome=Outcome.FAULTED)
        if asked.operation is Operation.EMBEDDINGS:
            return self._vectors(asked, setting, fault)
        return self._said(asked, setting, fault, tempo=tempo)

    def _said(self, asked: Asked, setting: Setting, fault: Fault, *, tempo: Tempo) -> Composed:
        model = self._model(asked.model)
        said = answer(asked, self._voice(model, fault))
        if self._flavour.truncates_prompts and model.context_tokens is not None:
            kept = min(said.prompt_tokens, model.context_tokens)
            said = msgspec.structs.replace(said, prompt_tokens=kept)
        created_at = int(setting.now)
        native = NATIVE.get(asked.operation)
        speaker: Speaker | NativeSpeaker = (
            Speaker(asked, self._flavour, serial=setting.serial, created_at=created_at)
            if native is None
            else native(asked, serial=setting.serial, created_at=created_at)
        )
        reply = Reply(status=fault.status or _OK, body=b"", headers=_headers(setting, fault))
        play: Play
        if asked.stream:
            events = speaker.events(said)
            failed = self._failure(asked, fault, setting)
            if failed is not None:
                told = (
                    responses_error(failed)
                    if asked.operation is Operation.RESPONSES
                    else self._flavour.stream_error(failed)
                )
                events = failing(events, fault.after or 0, told)
            head = msgspec.structs.replace(reply, content_type=_STREAM)
            play = stream_play(head, events, setting.framing, fault=fault, tempo=tempo)
            play = play._replace(whole=play.whole and failed is None)
        else:
            reply = msgspec.structs.replace(reply, body=speaker.body(said))
            delay_s, chars = tempo.delay_s, sum(len(choice.text) for choice in said.choices)
            play = reply_play(reply, setting.framing, fault=fault, delay_s=delay_s, chars=chars)
        return Composed(
            play=play,
            status=reply.status,
            outcome=_outcome(fault),
            input_tokens=said.prompt_tokens,
            output_tokens=said.completion_tokens,
        )

    def _vectors(self, asked: Asked, setting: Setting, fault: Fault) -> Composed:
        body = embeddings_body(asked, self._model(asked.model).dimensions)
        reply = Reply(status=fault.status or _OK, body=body, headers=_headers(setting, fault))
        delay_s = self._tempo(fault).delay_s
        return Composed(
            play=reply_play(reply, setting.framing, fault=fault, delay_s=delay_s),
            status=reply.status,
            outcome=_outcome(fault),
            input_tokens=asked.prompt_tokens,
        )

    def _instead(
        self, reply: Reply, setting: Setting, fault: Fault, *, outcome: Outcome
    ) -> Composed:
        """Return the play of a reply that is no answer."""
        headers = _merged((*setting.told, *reply.headers), fault.headers)
        reply = msgspec.structs.replace(reply, headers=headers)
        delay_s = self._tempo(fault).delay_s
        play = reply_play(reply, setting.framing, fault=fault, delay_s=delay_s)
        return Composed(play=play, status=reply.status, outcome=outcome)

    def _refused(self, asked: Asked, fault: Fault) -> Reply | None:
        """Return the complaint about what the model does not accept."""
        flavour, context = self._flavour, self._model(asked.model).context_tokens
        asked_tokens = asked.prompt_tokens + (asked.max_tokens or 0)
        if context is not None and asked_tokens > context and not flavour.truncates_prompts:
            said = Circumstances(
                model=asked.model, prompt_tokens=asked_tokens, context_tokens=context
            )
            return flavour.complaint(Complaint.CONTEXT_LENGTH, said)
        strict = flavour.stream_usage is StreamUsage.UNASKED
        if (strict or fault.reject_stream_options) and "stream_options" in asked.fields:
            reply = flavour.complaint(Complaint.STREAM_OPTIONS, Circumstances(model=asked.model))
            status = fault.reject_stream_options or reply.status
            return msgspec.structs.replace(reply, status=status)
        return None

    def _replaced(self, asked: Asked, fault: Fault, *, now: float) -> Reply | None:
        """Return what a fault answers in the answer's stead."""
        if fault.body is not None or (fault.status is not None and fault.error is None):
            body = (fault.body or "").encode()
            return Reply(status=fault.status or _OK, body=body)
        if fault.error is None or (fault.after is not None and asked.stream):
            return None
        reply = self._complaint(asked, fault.error, now)
        status = fault.status or (reply.status if fault.after is None else _OK)
        return msgspec.structs.replace(reply, status=status)

    def _failure(self, asked: Asked, fault: Fault, setting: Setting) -> Reply | None:
        """Return the error to tell within a stream."""
        if fault.error is None:
            return None
        return self._complaint(asked, fault.error, setting.now)

    def _complaint(self, asked: Asked, why: Complaint, now: float) -> Reply:
        context = self._model(asked.model).context_tokens or asked.prompt_tokens
        said = Circumstances(
            model=asked.model,
            prompt_tokens=asked.prompt_tokens,
            context_tokens=context,
            now=now,
        )
        scripted = _SCRIPTED.get(why)
        if scripted is None:
            return self._flavour.complaint(why, said)
        written, wait_s = scripted
        allowance = self._flavour.resolved(limits(written)[0])
        used = float(allowance.amount)
        refusal = Refusal(allowance=allowance, used=used, asked=1, wait_s=wait_s)
        return self._flavour.refusal(refusal, said)

    def _model(self, name: str) -> Model:
        return self._spec.models.get(name, _ANY_MODEL)

    def _voice(self, model: Model, fault: Fault) -> Voice:
        spec = self._spec
        return Voice(
            title=spec.title,
            text=spec.answer,
            events=spec.events if fault.events is None else fault.events,
            max_output_tokens=model.max_output_tokens,
            calls=spec.calls,
        )

    def _tempo(self, fault: Fault) -> Tempo:
        spec, flavour = self._spec, self._flavour
        every_s = flavour.comment_every_s if flavour.comment else None
        return Tempo(
            delay_s=spec.delay_s if fault.delay_s is None else fault.delay_s,
            first_token_s=(
                spec.first_token_s if fault.first_token_s is None else fault.first_token_s
            ),
            events_per_s=(spec.events_per_s if fault.events_per_s is None else fault.events_per_s),
            comment=flavour.comment,
            comment_every_s=every_s if fault.keepalive_s is None else fault.keepalive_s,
        )


def _outcome(fault: Fault) -> Outcome:
    return Outcome.FAULTED if fault.spoils else Outcome.ANSWERED


def _headers(setting: Setting, fault: Fault) -> Headers:
    identity = ("x-request-id", f"sim-{setting.serial}")
    return _merged((identity, *setting.told), fault.headers)


def _merged(headers: Headers, more: dict[str, str]) -> Headers:
    if not more:
        return headers
    return tuple((dict(headers) | {name.lower(): value for name, value in more.items()}).items())
