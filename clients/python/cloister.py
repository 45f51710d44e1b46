"""A client of Cloister in one file: Python 3.9 or newer, nothing but the standard library.

    from cloister import Cloister
    print(Cloister().execute("python", "print(6 * 7)")["output"])

Everything that the daemon refuses, and everything that goes wrong on the way, is a CloisterError with a `code`.
A Cloister may be used by several threads; each request has a connection of its own.
"""
from __future__ import annotations

import http.client
import json
import time
from contextlib import closing
from typing import Any, Iterator, List, Mapping, NamedTuple, Optional, Sequence, TypedDict, Union
from urllib.parse import quote, urlsplit

__all__ = ["Cloister", "CloisterError", "Busy", "NotFound", "Refused", "Unauthorized", "Unreachable", "Event", "Limits",
           "SourceFile", "CollectedFile", "Result", "Compile", "Test", "JudgeResult", "TestVerdict", "Submission", "Runtime"]


class CloisterError(Exception):
    """`code` is a word of the protocol, `status` that of HTTP, or 0 where no answer came."""

    def __init__(self, code: str, message: str, status: int = 0, retry_after: Optional[float] = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status, self.retry_after = code, message, status, retry_after


class Refused(CloisterError):
    """The request is wrong: a field, a language, a limit. Sending it again is of no use."""


class Unauthorized(CloisterError):
    """A token is needed, or it is another one; or this host may not ask."""


class NotFound(CloisterError):
    """There is no such submission (any more)."""


class Busy(CloisterError):
    """The daemon is too busy or is stopping; try again after `retry_after` seconds."""


class Unreachable(CloisterError):
    """No answer, or half of one. Whether the request was carried out is not known."""


class Limits(TypedDict, total=False):
    """Seconds and bytes (also such as "64m"), at most what the daemon allows."""
    wall_time: float
    cpu_time: float
    memory: Union[int, str]
    cpu_percent: int
    processes: int
    output_bytes: Union[int, str]
    file_bytes: Union[int, str]
    file_count: int
    open_files: int
    stack: Union[int, str]


class SourceFile(TypedDict, total=False):
    path: str
    content: str
    encoding: str  # utf8 or base64


class Compile(TypedDict):
    success: bool
    cached: bool
    output: str
    error: str
    wall_time: float


class _ResultBase(TypedDict):
    success: bool
    output: str
    error: str
    execution_time: float
    language: str
    method: str
    verdict: str
    exit_code: Optional[int]
    signal: Optional[str]
    cpu_time: float
    wall_time: float
    memory_peak: int
    truncated: Mapping[str, int]
    queued_time: float
    setup_time: float
    start: str


class CollectedFile(TypedDict, total=False):
    path: str
    content: str
    encoding: str
    bytes: int
    error: str  # why there is none: missing, not_regular, too_large, unreadable, not_collected


class Result(_ResultBase, total=False):
    reason: str
    compile: Compile
    output_encoding: str
    files: List[CollectedFile]
    unprotected: List[str]


class Test(TypedDict, total=False):
    name: str
    stdin: str
    expected: str
    encoding: str
    limits: Limits
    group: str


class _TestVerdictBase(TypedDict):
    test: int
    name: str
    verdict: str
    exit_code: Optional[int]
    signal: Optional[str]
    cpu_time: float
    wall_time: float
    memory_peak: int


class TestVerdict(_TestVerdictBase, total=False):
    group: str
    cause: str
    reason: str
    difference: Mapping[str, Any]
    stderr: str
    checker: Mapping[str, Any]
    passes: int
    team_message: str
    score: float
    score_multiplier: float


class _JudgeResultBase(TypedDict):
    verdict: str
    language: str
    tests: int
    judged: int
    skipped: int
    verdicts: Mapping[str, int]
    points: float
    max_points: float
    groups: List[Mapping[str, Any]]
    cpu_time: float
    wall_time: float
    memory_peak: int


class JudgeResult(_JudgeResultBase, total=False):
    cause: str
    decided_by: int
    compile: Compile


class _SubmissionBase(TypedDict):
    id: str
    kind: str
    state: str  # queued, running, done, failed
    created: str


class Submission(_SubmissionBase, total=False):
    ended: str
    expires: str
    result: Any  # Result or JudgeResult
    error: Mapping[str, Any]


class _RuntimeBase(TypedDict):
    id: str
    name: str
    version: Optional[str]
    available: bool
    default_file: str
    extensions: List[str]


class Runtime(_RuntimeBase, total=False):
    packages: List[str]


class Event(NamedTuple):
    """`name` is started, stage, output, usage, compiled, verdict, gap; at last result. `data` is that event's."""
    name: str
    data: Any
    number: int


def _error(status: int, error: Mapping[str, Any]) -> CloisterError:
    code, message = str(error.get("code", "unknown")), str(error.get("message", "no reason was given"))
    after = error.get("retry_after_ms")
    kind = {401: Unauthorized, 403: Unauthorized, 404: NotFound, 429: Busy, 503: Busy}.get(status, Refused)
    if status >= 500 and kind is Refused:
        kind = CloisterError
    return kind(code, message, status, after / 1000 if after else 1.0 if kind is Busy else None)


class Cloister:
    """A daemon. `timeout`: seconds for which it may say nothing; a stream says something every 15."""

    def __init__(self, url: str = "http://127.0.0.1:8000", token: Optional[str] = None, timeout: float = 60.0) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url!r} is no address such as http://127.0.0.1:8000")
        self._secure, self._host, self._port = parts.scheme == "https", parts.hostname, parts.port
        self._path, self._token, self._timeout = parts.path.rstrip("/"), token, timeout

    # -- Running

    def execute(self, language: str, code: Optional[str] = None, *, key: Optional[str] = None, **program: Any) -> Result:
        """Runs a program and waits for its end. `program`: files, entry, args, stdin, version, limits, collect,
        output_encoding.
        A program that fails is a result: see `verdict`. With a `key` the same request is safe to repeat."""
        return self._post("execute", _program(language, code, program), key, wait=True)

    def submit(self, language: str, code: Optional[str] = None, *, key: Optional[str] = None, **program: Any) -> Submission:
        """Begins a run and comes back at once; see submission(), events(), cancel()."""
        return self._post("execute", _program(language, code, program), key)

    def stream(self, language: str, code: Optional[str] = None, **program: Any) -> Iterator[Event]:
        """What happens while it happens; the last event is the result. Whoever leaves early cancels the run."""
        return self._follow(self.submit(language, code, stream=True, **program)["id"])

    # -- Judging

    def judge(self, language: str, code: Optional[str], tests: Sequence[Test], *, key: Optional[str] = None,
              **judging: Any) -> JudgeResult:
        """Runs a program on tests and waits. `judging`: files, entry, args, limits, checker, groups,
        passes, stop_at_first_failure."""
        return self._post("judge", _program(language, code, {"tests": list(tests), **judging}), key, wait=True)

    def judge_stream(self, language: str, code: Optional[str], tests: Sequence[Test], **judging: Any) -> Iterator[Event]:
        """A `verdict` for each test as it comes; the last event is the result."""
        body = _program(language, code, {"tests": list(tests), **judging})
        return self._follow(self._post("judge", body, None)["id"])

    # -- What is there

    def submission(self, id: str) -> Submission:
        return self._ask("GET", self._of(id))

    def cancel(self, id: str) -> Submission:
        """Ends it. What has ended stays as it is."""
        return self._ask("DELETE", self._of(id))

    def runtimes(self) -> List[Runtime]:
        return self._ask("GET", "/api/v1/runtimes")["runtimes"]

    def events(self, id: str, after: int = 0, retries: int = 5) -> Iterator[Event]:
        """The events that come after number `after`. A connection that breaks is made again, and nothing is lost.
        A submission that failed raises, as the last of them."""
        failures = 0
        while True:
            try:
                for event in self._read_events(id, after):
                    after, failures = max(after, event.number), 0
                    if event.name == "error":
                        raise _error(200 if event.data.get("code") != "busy" else 503, event.data)
                    yield event
                    if event.name == "result":
                        return
                return  # nothing comes after `after`
            except Unreachable:
                failures += 1
                if failures > retries:
                    raise
                time.sleep(min(0.1 * 2 ** failures, 5.0))

    # -- The wire

    def _of(self, id: str) -> str:
        return "/api/v1/submissions/" + quote(id, safe="")

    def _follow(self, id: str) -> Iterator[Event]:
        ended = False
        try:
            for event in self.events(id):
                ended = event.name == "result"
                yield event
        except CloisterError:
            ended = True
            raise
        finally:
            if not ended:
                self.cancel(id)

    def _post(self, what: str, body: Mapping[str, Any], key: Optional[str], wait: bool = False) -> Any:
        body = {**body, "wait": True} if wait else body
        return self._ask("POST", "/api/v1/" + what, body, {"Idempotency-Key": key} if key else {}, patient=wait)

    def _begin(self, method: str, path: str, body: Any, fields: Mapping[str, str],
               patient: bool) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
        # Who waits for a run waits in the queue, too.
        connection = kind(self._host, self._port, timeout=None if patient else self._timeout)
        headers = {"Accept": "application/json, text/event-stream", **fields}
        if self._token:
            headers["Authorization"] = "Bearer " + self._token
        text = None
        if body is not None:
            text, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
        try:
            connection.request(method, self._path + path, text, headers)
        except BaseException:
            connection.close()
            raise
        return connection

    def _ask(self, method: str, path: str, body: Any = None, fields: Mapping[str, str] = {}, patient: bool = False) -> Any:
        try:
            with closing(self._begin(method, path, body, fields, patient)) as connection:
                answer = connection.getresponse()
                text, status = answer.read(), answer.status
            read = json.loads(text) if text else {}
        except (OSError, http.client.HTTPException, ValueError) as why:
            raise Unreachable("unreachable", str(why) or type(why).__name__) from why
        if status >= 400:
            raise _error(status, read.get("error", {}))
        return read

    def _read_events(self, id: str, after: int) -> Iterator[Event]:
        fields = {"Last-Event-ID": str(after)} if after else {}
        try:
            with closing(self._begin("GET", self._of(id) + "/events", None, fields, False)) as connection:
                answer = connection.getresponse()
                if answer.status == 204:
                    return
                if answer.status != 200:
                    raise _error(answer.status, json.loads(answer.read()).get("error", {}))
                name, data, number, last = "", "", after, ""
                for line in answer:
                    text = line.decode().rstrip("\r\n")
                    field, _, value = text.partition(": ")
                    if field == "event":
                        name = value
                    elif field == "data":
                        data += value
                    elif field == "id":
                        number = int(value)
                    elif not text and data:
                        last = name
                        yield Event(name, json.loads(data), number)
                        name, data = "", ""
                if last not in ("result", "error"):
                    raise Unreachable("unreachable", "the stream broke off")
        except (OSError, http.client.HTTPException, ValueError) as why:
            raise Unreachable("unreachable", str(why) or type(why).__name__) from why


def _program(language: str, code: Optional[str], rest: Mapping[str, Any]) -> Mapping[str, Any]:
    body = {"language": language, **{name: value for name, value in rest.items() if value is not None}}
    return body if code is None else {**body, "code": code}
