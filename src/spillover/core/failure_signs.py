"""The tables by which a failure is recognised, in the order in which they are tried.

Rules of this file:
- Order is meaning: the first sign that matches wins. A provider's own signs stand before
  everybody's, words that name a cause before codes and statuses that many causes share. Billing
  stands before quota and quota before rate: providers send all three as 429.
- A pattern names a phrase, never a bare word or number that an innocent sentence may hold.
- Every row says where its knowledge comes from.

Refuses to know how evidence is read and what is done about a class.
"""

from __future__ import annotations

from typing import Final

from spillover.core.account_signs import BILLING_SIGNS, KEY_SIGNS
from spillover.core.provider_signs import PROVIDER_SIGNS
from spillover.core.request_signs import CONTENT_SIGNS, FEATURE_SIGNS, SIZE_SIGNS
from spillover.core.signs import Phrases, Sign, names, statuses
from spillover.core.supply_signs import CAPACITY_SIGNS, MODEL_SIGNS, QUOTA_SIGNS
from spillover.core.values import CalendarUnit, FailureClass, FaultScope, Metric

PER_MODEL_QUOTAS: Final = names(
    "alibaba anthropic azure bedrock cerebras dashscope gemini github-models google groq "
    "moonshot openai ovhcloud vertex volcengine xai"
)
"""Providers whose rate limits count one model of an account (their rate-limit pages)."""

NAMES_MODEL: Final = Phrases(
    r"for (?:the )?model\b",
    "rate-limited upstream",
    "provider returned error",
    r"limit_rpm/",
    r"high demand for ",
    r"(?:of|on|for) this model\b",
    r"and model \S",
    r"limit reached for \S{1,100} in organi[sz]ation\b",
)
"""Words of a rate limit that bears on one model alone."""

NAMES_ACCOUNT: Final = Phrases(
    r"reached (?:max )?(?:organization|project)\b",
    r"(?:your|this) account's",
    "userconcurrentrequests",
    "userbyminute",
)
"""Words of a rate limit that bears on the whole account, though its provider counts by model."""

WINDOWS: Final[tuple[tuple[CalendarUnit, Phrases], ...]] = (
    (
        CalendarUnit.MONTH,
        Phrases(
            r"per[ _-]?month", r"\bmonthly\b", r"/ ?month\b", r"rate-?limit\S{0,60}-month$", r"每月"
        ),
    ),
    (CalendarUnit.WEEK, Phrases(r"per[ _-]?week", r"\bweekly\b", r"/ ?week\b", r"每周")),
    (
        CalendarUnit.DAY,
        Phrases(
            r"per[ _-]?(?:1 )?day",
            r"(?:\b|_)daily\b",
            r"/ ?day\b",
            r"rate-?limit\S{0,60}-day$",
            r"\b1/d/",
            r"\b[rt]pd\b",
            r"per 86400 ?s",
            r"\w{0,20}modelbyday",
            r"\w{0,20}userbyday",
            r"today's",
            r"每[日天]",
            r"今[日天]",
        ),
    ),
    (
        CalendarUnit.HOUR,
        Phrases(
            r"per[ _-]?(?:1 )?hour",
            r"\bhourly\b",
            r"/ ?hour\b",
            r"rate-?limit\S{0,60}-hour$",
            r"\b[rt]ph\b",
            r"per 3600 ?s",
            r"每小时",
        ),
    ),
    (
        CalendarUnit.MINUTE,
        Phrases(
            r"per[ _-]?(?:1 )?min",
            r"/ ?min(?:ute)?\b",
            r"rate-?limit\S{0,60}-minute$",
            r"\b1/min/",
            r"\b(?:i|o)?tpm\b",
            r"\brpm\b",
            r"limit_rpm/",
            r"per 60 ?s",
            r"\w{0,20}byminute",
            r"每分钟",
        ),
    ),
)
"""Words that name the window that is spent, the longest first: it is the one that binds.

Ids of quotas are written in one word: what begins with `\\w` may stand inside of one.
"""


METRICS: Final[tuple[tuple[Metric, Phrases], ...]] = (
    (
        Metric.TOKENS,
        Phrases(
            r"tokens? per[ _-]",
            r"\btp[mhd]\b",
            r"token (?:limit|quota)",
            "ratelimit-remaining-tokens",
        ),
    ),
    (
        Metric.REQUESTS,
        Phrases(
            r"requests? per[ _-]",
            r"\brp[mhd]\b",
            r"request (?:limit|quota)",
            "ratelimit-remaining-requests",
        ),
    ),
)
"""Words that name what is spent."""


def _status(
    failure: FailureClass, scope: FaultScope | None, *numbers: int, elsewhere: bool | None = None
) -> Sign:
    return Sign(
        failure=failure,
        scope=scope,
        statuses=statuses(*numbers),
        elsewhere=elsewhere,
        source="RFC 9110, and Cloudflare's and nginx's own statuses",
    )


_STATUSES: Final = (
    _status(FailureClass.RATE_LIMITED, None, 429),
    _status(FailureClass.AUTH_INVALID, FaultScope.ACCOUNT, 401, 403),
    _status(FailureClass.PAYMENT_REQUIRED, FaultScope.ACCOUNT, 402),
    _status(FailureClass.MODEL_NOT_FOUND, FaultScope.PROFILE, 404, 410),
    _status(FailureClass.TIMEOUT, FaultScope.PROVIDER, 408, 504, 522, 524),
    _status(FailureClass.OVERLOADED, FaultScope.PROVIDER, 498, 503, 529),
    _status(FailureClass.BAD_GATEWAY, FaultScope.PROVIDER, 502),
    _status(FailureClass.SERVER_ERROR, FaultScope.PROVIDER, 500, 520, 521, 523, 525, 526, 527, 530),
    # Bedrock: the model itself broke down.
    _status(FailureClass.SERVER_ERROR, FaultScope.PROFILE, 424),
    # The address is wrong for this protocol, which says nothing of the request.
    _status(FailureClass.BAD_GATEWAY, FaultScope.PROVIDER, 301, 302, 303, 307, 308),
    _status(FailureClass.BAD_REQUEST, FaultScope.REQUEST, 405, 501, elsewhere=True),
    _status(FailureClass.BAD_REQUEST, FaultScope.REQUEST, 400, 422),
)
"""What a status means when nothing else is told."""


def _nameless(failure: FailureClass, scope: FaultScope, codes: str) -> Sign:
    return Sign(
        failure=failure,
        scope=scope,
        statuses=statuses(200),
        codes=names(codes),
        source="error events in streams, which have no status: codes of Google, OpenAI, Anthropic "
        "and AWS",
    )


_GENERIC: Final = (
    _nameless(
        FailureClass.TIMEOUT,
        FaultScope.PROFILE,
        "deadline_exceeded timeout timeout_error request_timeout gateway_timeout "
        "modeltimeoutexception",
    ),
    _nameless(
        FailureClass.OVERLOADED,
        FaultScope.PROFILE,
        "unavailable service_unavailable serviceunavailableexception unavailable_error",
    ),
    _nameless(
        FailureClass.AUTH_INVALID,
        FaultScope.ACCOUNT,
        "permission_denied permission_error forbidden unauthorized accessdeniedexception",
    ),
    _nameless(FailureClass.MODEL_NOT_FOUND, FaultScope.PROFILE, "not_found"),
    _nameless(
        FailureClass.BAD_REQUEST,
        FaultScope.REQUEST,
        "invalid_request_error invalid_argument badrequesterror bad_request validationexception "
        "failed_precondition",
    ),
    Sign(
        failure=FailureClass.SERVER_ERROR,
        scope=FaultScope.PROFILE,
        statuses=statuses(200),
        source="an answer of 200 that is empty, garbage, or an error without a name",
    ),
)
"""Signs that are only looked at when the error came without a status."""

SIGNS: Final[tuple[Sign, ...]] = (
    *PROVIDER_SIGNS,
    *CONTENT_SIGNS,
    *SIZE_SIGNS,
    *BILLING_SIGNS,
    *KEY_SIGNS,
    *FEATURE_SIGNS,
    *MODEL_SIGNS,
    *CAPACITY_SIGNS,
    *QUOTA_SIGNS,
    *_STATUSES,
    *_GENERIC,
)
"""All signs, in the order in which they are tried."""
