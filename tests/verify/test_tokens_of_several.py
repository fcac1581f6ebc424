"""Tokens that are minted at each login: of one caller, and of several who share one."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Callable, Iterator
from typing import Any

import aiohttp
import pytest
import requests

from pytest_resilience import Fake, FakeServer, RetryPolicy, route, verify

CLAIMED = RetryPolicy(login="/login", timeout=5)
SEVERAL = ["refused-token-of-several", "old-token-of-several"]


class Shop(Fake):
    """Gives a new token at each login, which is good for an hour."""

    def reset(self) -> None:
        """No token is good."""
        self.good: dict[str, float] = {}

    @route("POST", "/login")
    def login(self, request: Any) -> object:
        """Mint a token."""
        token = f"token-{len(self.good):04}-{self.random.random()}"
        self.good[token] = self.clock.monotonic() + 3600
        return {"token": token}

    @route("GET", "/private")
    def private(self, request: Any) -> object:
        """For who has a good one."""
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if self.good.get(token, -1) < self.clock.monotonic():
            return 401, {"error": "no"}
        return {"secret": 42}


@pytest.fixture
def shop() -> Iterator[Shop]:
    with Shop() as shop:
        yield shop


class Client:
    """Of threads; each step can be done in another way."""

    def __init__(self) -> None:
        self.token: str | None = None
        self.lock = threading.Lock()

    def login(self, url: str, refused: str | None) -> None:
        with self.lock:
            if self.token == refused:
                self.token = self.ask_for_one(url)

    def ask_for_one(self, url: str) -> str:
        return str(requests.post(f"{url}/login", timeout=5).json()["token"])

    def header(self) -> str:
        return f"Bearer {self.token}"

    def get(self, url: str) -> Any:
        for _ in range(2):
            if self.token is None:
                self.login(url, None)
            token, header = self.token, self.header()
            said = requests.get(f"{url}/private", headers={"Authorization": header}, timeout=5)
            if said.status_code != 401:
                break
            self.login(url, token)
        said.raise_for_status()
        return said.json()


class Unlocked(Client):
    def login(self, url: str, refused: str | None) -> None:
        self.token = self.ask_for_one(url)


class NeverCompares(Client):
    def login(self, url: str, refused: str | None) -> None:
        with self.lock:
            self.token = self.ask_for_one(url)


class KeepsItsHeader(Client):
    kept = ""

    def header(self) -> str:
        self.kept = self.kept or super().header()
        return self.kept


class OfEachThread(Client):
    def __init__(self) -> None:
        self.mine = threading.local()
        super().__init__()

    @property
    def token(self) -> str | None:
        return getattr(self.mine, "token", None)

    @token.setter
    def token(self, value: str | None) -> None:
        self.mine.token = value


def of_tasks(*, compares: bool) -> Callable[[str], Any]:
    token = ""
    lock = asyncio.Lock()

    async def login(session: aiohttp.ClientSession, url: str, refused: str) -> None:
        nonlocal token
        async with lock:
            if not compares or token == refused:
                async with session.post(f"{url}/login") as said:
                    token = (await said.json())["token"]

    async def get(url: str) -> Any:
        timeout = aiohttp.ClientTimeout(sock_read=5)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            for _ in range(2):
                used = token
                headers = {"Authorization": f"Bearer {used}"}
                async with session.get(f"{url}/private", headers=headers) as said:
                    if said.status != 401:
                        said.raise_for_status()
                        return await said.json()
                await login(session, url, used)
            raise PermissionError("two tokens refused")

    return get


@pytest.mark.parametrize("make", [Unlocked, NeverCompares])
def test_threads_that_each_log_in(make: Callable[[], Client], shop: Shop) -> None:
    """A lock without a look at the token lets them log in one after the other."""
    verdict = verify(make().get, CLAIMED, shop, only=SEVERAL)

    sentence = "4 callers who share a token logged in 4 times for a new one"
    assert [found.sentence for found in verdict] == [sentence, sentence]
    assert verdict.codes == ["login-storm"]
    assert [found.scenario for found in verdict] == SEVERAL


@pytest.mark.parametrize("make", [Client, OfEachThread])
def test_threads_of_which_one_logs_in(make: Callable[[], Client], shop: Shop) -> None:
    """The others see that the token is another one; or each has a token of its own."""
    verdict = verify(make().get, CLAIMED, shop, only=["expired-token", *SEVERAL])

    assert not verdict.findings, verdict


def test_tasks(shop: Shop) -> None:
    """The same in one event loop."""
    assert not verify(of_tasks(compares=True), CLAIMED, shop, only=SEVERAL).findings
    assert verify(of_tasks(compares=False), CLAIMED, shop, only=SEVERAL).codes == ["login-storm"]


def entering(
    session: requests.Session, url: str, user: str = "ali", *, leaves: bool = False
) -> Any:
    """Log in, ask, and perhaps log out."""
    said = session.post(f"{url}/login", json={"user": user}, timeout=5)
    said.raise_for_status()
    headers = {"Authorization": f"Bearer {said.json()['token']}"}
    answer = session.get(f"{url}/private", headers=headers, timeout=5)
    answer.raise_for_status()
    if leaves:
        session.post(f"{url}/logout", headers=headers, timeout=5).raise_for_status()
    return answer.json()


USERS = map(str, itertools.count())


def anew(url: str) -> Any:
    """A client for each call."""
    with requests.Session() as session:
        return entering(session, url)


def page_by_page(url: str) -> Any:
    """A client for each call, and a login for each page."""
    with requests.Session() as session:
        return [entering(session, url), entering(session, url)]


class OneTokenForAll(Shop):
    """Gives everybody the same token, as a stub does."""

    @route("POST", "/login")
    def login(self, request: Any) -> object:
        """As it was."""
        self.good["token"] = self.clock.monotonic() + 3600
        return {"token": "token"}


class Hotel(Shop):
    """Its tokens last for a while that it tells, and can be given back."""

    lasts = 3600

    @route("POST", "/login")
    def login(self, request: Any) -> object:
        """Say how long it lasts."""
        answer = super().login(request)
        assert isinstance(answer, dict)
        return {**answer, "expires_in": self.lasts}

    @route("POST", "/logout")
    def leave(self, request: Any) -> object:
        """Be forgotten."""
        del self.good[request.headers["Authorization"].removeprefix("Bearer ")]
        return {}


class Motel(Hotel):
    lasts = 60


@pytest.mark.parametrize(
    ("call", "server", "found"),
    [
        (entering, Shop, ["login-storm"]),
        (entering, Hotel, ["login-storm"]),
        (lambda _, url: page_by_page(url), Shop, ["login-storm"]),
        (lambda _, url: anew(url), Shop, []),
        (lambda _, url: [anew(url), anew(url)], Shop, []),
        (entering, OneTokenForAll, []),
        (entering, Motel, []),
        (lambda session, url: entering(session, url, leaves=True), Hotel, []),
        (lambda session, url: entering(session, url, next(USERS)), Shop, []),
    ],
)
def test_a_login_in_each_call(
    call: Callable[[requests.Session, str], Any], server: type[Shop], found: list[str]
) -> None:
    """Who lives on from call to call could keep the token; all others have to log in."""
    with server() as shop, requests.Session() as session:
        verdict = verify(lambda url: call(session, url), CLAIMED, shop, only="token-of-two-calls")

    assert verdict.codes == found, verdict


def test_who_does_not_claim_to_log_in(shop: Shop) -> None:
    """A client of one thread needs no lock."""
    assert not verify(Unlocked().get, RetryPolicy(timeout=5), shop).findings


def test_a_new_token_that_is_not_used(shop: Shop) -> None:
    """A login alone is no cure."""
    verdict = verify(KeepsItsHeader().get, CLAIMED, shop, only="expired-token")

    (found,) = verdict
    assert found.code == "stale-token-kept"
    assert found.sentence == (
        "it logged in again, and went on with the token that had been refused"
    )


@pytest.mark.parametrize("make", [Client, Unlocked])
def test_a_server_with_one_token(make: Callable[[], Client]) -> None:
    """Whether the token is another one cannot be told, and nobody is accused."""
    with OneTokenForAll() as shop:
        verdict = verify(make().get, CLAIMED, shop, only=["expired-token", *SEVERAL])

    assert not verdict.findings, verdict


def test_a_redirect_after_the_login(shop: Shop) -> None:
    """It is the request with the token that is sent elsewhere, not the login before it."""

    def get(url: str) -> Any:
        token = requests.post(f"{url}/login", timeout=5).json()["token"]
        headers = {"Authorization": f"Bearer {token}", "X-Auth-Token": token}
        said = requests.get(f"{url}/private", headers=headers, timeout=5)
        said.raise_for_status()
        return said.json()

    verdict = verify(get, server=shop, only="redirect-elsewhere")

    (found,) = verdict
    assert found.sentence == "a redirect to another origin was followed with x-auth-token"


def test_a_key_in_the_query_alone() -> None:
    """It is a credential as well."""

    def get(url: str) -> Any:
        for _ in range(3):
            said = requests.get(url, params={"key": "k"}, timeout=5, allow_redirects=False)
            if not said.is_redirect:
                break
            url = said.headers["Location"]
        said.raise_for_status()
        return said.json()

    assert verify(get, only="redirect-elsewhere").codes == ["credentials-sent-elsewhere"]


@pytest.mark.parametrize(
    ("follows", "named", "accused"),
    [(True, True, True), (False, True, False), (True, False, False)],
)
def test_a_secret_in_a_body(follows: bool, named: bool, accused: bool) -> None:  # noqa: FBT001 -- parameters
    """It is one where somebody has said so; what else a body holds only the service knows."""
    secret = "sesame-4711-open"

    def get(url: str) -> Any:
        data = {"user": "ali", "word": secret}
        said = requests.post(f"{url}/enter", json=data, timeout=5, allow_redirects=follows)
        if said.status_code != 200:
            raise ConnectionError(said.status_code)
        return said.json()

    with FakeServer(secrets={"the word": secret} if named else {}) as server:
        verdict = verify(get, server=server, only="redirect-elsewhere")

    assert verdict.codes == (["credentials-sent-elsewhere"] if accused else []), verdict
    if accused:
        assert verdict.findings[0].sentence.endswith("was followed with the word")
