"""`Gemini`: the fake itself, its state and its verbs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from pytest_resilience import faults
from pytest_resilience_gemini import _keys, _models, _says, _state, _wire, stream
from pytest_resilience_gemini._named import NamedError
from pytest_resilience_gemini._presets import PRESETS, Make
from pytest_resilience_gemini._prompt import Prompt
from pytest_resilience_gemini._quota import Meter, Quota
from pytest_resilience_gemini._says import Say
from pytest_resilience_gemini._service import Service
from pytest_resilience_gemini._traps import TRAPS, Trap
from pytest_resilience_gemini._wire import Call

if TYPE_CHECKING:
    from werkzeug import Response


class Gemini(Service):
    """Google's Gemini API, as far as text is generated with an API key.

    ::

        with Gemini() as gemini:
            gemini.say("First tweet.", "Second tweet.")
            gemini.fail("overloaded", times=2)
            client = genai.Client(
                api_key=gemini.api_key, http_options=HttpOptions(base_url=gemini.url)
            )

    Imitates ``/v1`` and ``/v1beta`` of generativelanguage.googleapis.com as documented at
    ai.google.dev/api in 2026, and the same as ``/v1alpha``, which google-genai's pages use:
    models (list, get), generateContent, streamGenerateContent (server-sent events and
    array), countTokens, embedContent, batchEmbedContents; function
    calls, JSON mode, safety settings, quotas; keys, validation and errors as users have
    reported them. Leaves out: Interactions, Files, caches, batches, tuned models, Live,
    gRPC, Vertex. It does not think: it says what it was told to `say`, whatever the model.
    Tokens are counted by length. All its time is the server's clock.

    Args:
        api_key: The valid key; minted when left out.
        models: Names of the models to serve, with ``models/`` or without; those current in
            2026 when left out.
        options: Those of `Fake`.

    Raises:
        PlanError: The key cannot be sent in a header, or the models are no list of names.
    """

    def __init__(
        self, *, api_key: str | None = None, models: Iterable[str] | None = None, **options: Any
    ) -> None:
        self._own_key = (
            _keys.mint() if api_key is None else _state.key_checked(api_key, "Gemini(api_key=...)")
        )
        self._own_models = None if models is None else _models.names(models)
        super().__init__(**options)

    def reset(self) -> None:
        """The key, the models and the text of the beginning; no requests, and no quota."""
        self.api_key = self._own_key
        self.models = (
            _models.default_models()
            if self._own_models is None
            else {name: _models.describe(name) for name in self._own_models}
        )
        self._says: list[Say] = [_says.DEFAULT_TEXT]
        self._requests: list[Prompt] = []
        self._meter = self._metered(Quota())

    @property
    def environment(self) -> dict[str, str]:
        """What points google-genai and most other clients here."""
        return {
            "GEMINI_API_KEY": self.api_key,
            "GOOGLE_API_KEY": self.api_key,
            "GOOGLE_GEMINI_BASE_URL": self.url,
        }

    # A test's verbs

    def say(self, *answers: Say) -> None:
        """What the model says from now on, one answer a request; the last one repeats.

        As long as nothing was told, the model says what a request leaves it no choice about:
        data that fits its schema, or a call of the function that it forces.

        Args:
            answers: Texts, `Reply` values, or functions that get the `Prompt` and return
                one of these. A function runs on the server's thread.

        Raises:
            PlanError: There are none, or one is something else.
        """
        checked = _says.checked(answers)
        with self.lock:
            self._says = checked

    def quota(
        self,
        *,
        requests_per_minute: int | None = None,
        tokens_per_minute: int | None = None,
        requests_per_day: int | None = None,
        tokens_per_day: int | None = None,
        day_ends_in: float = 86_400.0,
        paid: bool = False,
    ) -> None:
        """How much each model may be asked for from now on; what is too much is a 429.

        ::

            gemini.quota(requests_per_minute=2, requests_per_day=20)

        Minutes and days pass on the server's clock, and both begin now. Prompts are counted
        that are in order and meet no fault, and embeddings, of which each text is a request.

        Args:
            requests_per_minute: None for no limit.
            tokens_per_minute: Of prompts; answers do not count.
            requests_per_day: None for no limit.
            tokens_per_day: Of prompts.
            day_ends_in: Seconds until midnight in California, where days end.
            paid: The quotas have the names of a paid tier's.

        Raises:
            PlanError: A number is negative, or none.
        """
        quota = Quota(
            requests_per_minute,
            tokens_per_minute,
            requests_per_day,
            tokens_per_day,
            day_ends_in,
            paid,
        )
        with self.lock:
            self._meter = self._metered(quota)

    def retire(self, *names: str) -> None:
        """Models that are no longer served: from now on their calls are a 404.

        Raises:
            PlanError: There is no such model.
        """
        with self.lock:
            self.models = _models.without(self.models, names)

    @property
    def requests(self) -> list[Prompt]:
        """The prompts that have reached the model: those that were in order and met no fault."""
        with self.lock:
            return list(self._requests)

    def _metered(self, quota: Quota) -> Meter:
        return Meter(quota, self._now())

    # Faults by name

    @property
    def presets(self) -> Mapping[str, Callable[[], Any]]:
        """The errors by name, as answers to a plain ``generateContent``."""
        return {name: partial(self._named_refusal, make, Call()) for name, make in PRESETS.items()}

    @property
    def named_faults(self) -> Mapping[str, faults.Fault]:
        """The presets as faults; each in the form that the call it meets has asked for.

        And answers without a text, and errors within a stream behind its first event.
        """
        errors = {
            name: NamedError(name, partial(self._named_refusal, PRESETS[name]))
            for name, make in self.presets.items()
            if isinstance(make, partial) and make.func == self._named_refusal
        }
        streamed = (stream.malformed(), stream.error_event(), stream.error_tail())
        return {
            **super().named_faults,  # Those of a class that derives from this one among them.
            **errors,
            **{name: Trap(name) for name in TRAPS},
            **{fault.label: fault for fault in streamed},
        }

    def _named_refusal(self, make: Make, call: Call, key: str | None = None) -> Response:
        with self.lock:
            return _wire.refusal(make(call, key or self.api_key), call)

    # For the control API

    def state(self) -> Any:
        """What there is to be set, as JSON data.

        ``say``: what is still to be said, a list whose last entry repeats. An entry is a
        text, or an object with the fields of `Reply`: ``pieces``, ``finish``, ``block``,
        ``thoughts``, ``calls``, ``ratings``; ``{"function": name}`` stands for a function
        and cannot be set.
        ``models``: the models' resources, as the API lists them.
        ``api_key``: the valid key.
        ``quota``: the arguments of `quota`; setting it begins its minute and its day.
        """
        with self.lock:
            return _state.to_json(self._says, self.models, self.api_key, self._meter.quota)

    def set_state(self, state: Any) -> None:
        """Take over the parts of `state` that are given; the others stay as they are.

        A model may be given by its name alone, or with some fields of its resource.

        Raises:
            PlanError: A part is unknown, or not what it should be; nothing has changed.
        """
        with self.lock:
            parts = _state.from_json(state)
            self._says = parts.get("say", self._says)
            self.models = parts.get("models", self.models)
            self.api_key = parts.get("api_key", self.api_key)
            if "quota" in parts:
                self._meter = self._metered(parts["quota"])
