"""What the service does with a request: its routes, and the form of its answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from werkzeug import Response
from werkzeug.exceptions import MethodNotAllowed

from pytest_resilience import Attempt, Fake, route
from pytest_resilience_gemini import (
    _embeddings,
    _keys,
    _masks,
    _models,
    _query,
    _says,
    _tokens,
    _validation,
    _wire,
)
from pytest_resilience_gemini._answers import Answerer
from pytest_resilience_gemini._errors import PAYLOAD, PAYLOAD_MOST, ApiError, error_body
from pytest_resilience_gemini._models import Model
from pytest_resilience_gemini._prompt import Prompt
from pytest_resilience_gemini._proto import parse
from pytest_resilience_gemini._quota import Meter
from pytest_resilience_gemini._says import Say
from pytest_resilience_gemini._wire import Call

if TYPE_CHECKING:
    from werkzeug import Request

VERSION = "/<any(v1, v1beta, v1alpha):version>"
MODEL = VERSION + "/models/<model>"
CALL = "pytest_resilience_gemini.call"
FORM = "application/x-www-form-urlencoded"
# zed#17343
NOTHING_TO_COUNT = "CountTokens requires generate_content_request or contents to be set."


class Service(Fake):
    """The API of a service whose state somebody else keeps."""

    api_key: str
    """The valid key."""
    models: dict[str, Model]
    """The models that are served, by name."""
    _says: list[Say]
    _requests: list[Prompt]
    _meter: Meter
    _direct: ClassVar[Mapping[str, str]]
    """The handlers that are found without a look at the routes."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        # What somebody's class answers otherwise, or elsewhere, or not at all, its routes tell.
        cls._direct = {
            method: name
            for method, name in HANDLERS.items()
            if getattr(cls, name) is getattr(Service, name)
        }

    # Routes

    @route("GET", VERSION + "/models")
    def list_models(self, request: Request, version: str) -> Any:
        """The models, in pages."""
        given = self._admit(request, {"page_size": "int32", "page_token": "string"})
        return _shown(_call(request), _models.page(self.models.values(), **given))

    @route("GET", MODEL)
    def get_model(self, request: Request, version: str, model: str) -> Any:
        """One model."""
        if _call(request).method:
            raise MethodNotAllowed(["POST"])
        self._admit(request)
        return _shown(_call(request), _models.get(self.models, model, version))

    @route("POST", MODEL + ":generateContent")
    def generate_content(self, request: Request, version: str, model: str) -> Any:
        """A text, at once."""
        answerer = self._answerer(request)
        response = _shown(_call(request), answerer.whole())
        # Streams say it in their events only (vercel/ai#15488).
        response.headers.add("X-Gemini-Service-Tier", answerer.tier)
        return response

    @route("POST", MODEL + ":streamGenerateContent")
    def stream_generate_content(self, request: Request, version: str, model: str) -> Any:
        """A text, piece by piece."""
        call = _call(request)
        events = _masks.cut(self._answerer(request).events(), call.chosen)
        if call.sse:
            headers = {"Content-Disposition": "attachment"}
            pieces = _wire.sse(map(call.shaped, events))
            return _wire.response(iter(pieces), 200, _wire.SSE_TYPE, headers)
        return _wire.response(iter(_wire.array_pieces(map(call.text, events))), 200)

    @route("POST", MODEL + ":countTokens")
    def count_tokens(self, request: Request, version: str, model: str) -> Any:
        """How long a prompt is."""
        body = self._read(request, "CountTokensRequest")
        whole = body.get("generate_content_request")
        if whole is None and not body.get("contents"):
            raise ApiError(400, NOTHING_TO_COUNT)
        if whole is None:
            _validation.contents(body, "CountTokensRequest")
        else:
            _validation.contents(whole)
        details = _tokens.details(body if whole is None else whole)
        return {"totalTokens": _tokens.total(details), "promptTokensDetails": details}

    @route("POST", MODEL + ":embedContent")
    def embed_content(self, request: Request, version: str, model: str) -> Any:
        """One embedding."""
        embedding = _embeddings.embed(self._read(request, "EmbedContentRequest"))
        self._meter.embed(model, 1, self._now())
        return {"embedding": embedding}

    @route("POST", MODEL + ":batchEmbedContents")
    def batch_embed_contents(self, request: Request, version: str, model: str) -> Any:
        """An embedding for each of several contents."""
        body = self._read(request, "BatchEmbedContentsRequest")
        _validation.batch(body)
        listed = body.get("requests", ())
        embeddings = [_embeddings.embed(one) for one in listed]
        self._meter.embed(model, len(listed), self._now())
        return {"embeddings": embeddings}

    # What they share

    def _answerer(self, request: Request) -> Answerer:
        body = self._read(request, "GenerateContentRequest")
        call = _call(request)
        details = _tokens.details(body)
        tokens = _tokens.total(details)
        limit, model = self.models[call.model]["inputTokenLimit"], _models.meant(call.model)
        _validation.prompt(body, model, tokens, limit)
        self._meter.generate(model, tokens, self._now())
        prompt = Prompt(call.model, call.version, call.stream, body)
        self._requests.append(prompt)
        return Answerer(prompt, _says.take(self._says, prompt), details, self.random)

    def _read(self, request: Request, message: str) -> dict[str, Any]:
        """The request's message, once key, fields and model are in order.

        The order of these checks is inferred: no report has two things wrong at once.
        """
        self._admit(request)
        call = _call(request)
        if (request.content_length or 0) > PAYLOAD_MOST:
            raise ApiError(400, PAYLOAD)
        # A whole body: the server has read it before it calls. What werkzeug has for that
        # looks for its end again.
        sent = request.environ["wsgi.input"].read()
        if request.environ.get("CONTENT_TYPE", "").startswith(FORM):
            _query.refuse_form(sent)
        body = parse(sent, message)
        _models.find(self.models, call.model, call.version, call.method)
        return body

    def _admit(self, request: Request, fields: Mapping[str, str] | None = None) -> dict[str, Any]:
        """What the query says, of those fields, once all that is no matter of the body is right.

        That the form comes first, before the key, was measured of other Google APIs (backlot#309).
        """
        call = _call(request)
        if call.alt or call.callback:
            call.check()
        _keys.check(request, self.api_key, call.rpc)
        given = _query.read(request, fields)
        if call.mask:
            call.chosen  # noqa: B018 -- refuses what it cannot be
        return given

    def _now(self) -> int:
        return self.clock.monotonic_ns()

    # Answers and errors

    def handle(self, request: Request) -> Response:
        """Answer one request; what a handler raises is an answer too."""
        call = _call(request)
        handler = self._direct.get(call.method) if request.method == "POST" else None
        try:
            if handler is None:
                return super().handle(request)
            # The call tells as much as the routes do, and in a tenth of their time.
            said = getattr(self, handler)(request, call.version, call.model)
        except ApiError as error:
            return _wire.refusal(error, call)
        return said if isinstance(said, Response) else _shown(call, said)

    def answer(self, status: int, data: Any, headers: Mapping[str, str] | None = None) -> Response:
        """JSON with the service's headers."""
        return _wire.response(_wire.pretty(data), status, _wire.JSON_TYPE, headers)

    def error(self, status: int, message: str | None = None) -> Any:
        """Google's error body for any status."""
        return status, error_body(status, message)

    def error_for(self, attempt: Attempt, status: int) -> Response:
        """The same in the form that the call has asked for."""
        # A request that is too large even for the server is a 400 as well; who plans a 413 gets it.
        too_large = status == 413 and attempt.fault is None
        error = ApiError(400, PAYLOAD) if too_large else ApiError(status)
        return _wire.refusal(error, Call.of_attempt(attempt))

    def unmatched(self, request: Request, nearest: list[str]) -> Any:
        """Nothing is said of a path that there is not."""
        return _wire.nowhere()

    def wrong_method(self, request: Request, allowed: Iterable[str]) -> Any:
        """The service knows no 405: a path is there for its methods only."""
        return _wire.nowhere()


HANDLERS = {
    "generateContent": "generate_content",
    "streamGenerateContent": "stream_generate_content",
    "countTokens": "count_tokens",
    "embedContent": "embed_content",
    "batchEmbedContents": "batch_embed_contents",
}
"""The methods that POST to a model."""


def _shown(call: Call, data: Any) -> Response:
    """An answer, as far as it is wanted."""
    return _wire.answer(call.text(_masks.cut(data, call.chosen)), 200, call)


def _call(request: Request) -> Call:
    """Which call a request makes; found out once."""
    found = request.environ.get(CALL)
    if found is None:
        query = request.query_string.decode("latin-1")
        found = Call.of(request.path, query, request.environ.get("HTTP_X_GOOG_FIELDMASK"))
        request.environ[CALL] = found
    call: Call = found
    return call
