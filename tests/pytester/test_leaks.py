"""A test in which a client shows a secret of a fake fails, and says where."""

import base64
from collections.abc import Callable

import _pytest.capture
import pytest

Session = Callable[..., pytest.RunResult]

TOKEN = "ghp_not+for/reports"

CLIENT = """
import base64, json, logging, sys, urllib.request, warnings
log = logging.getLogger("client")
TOKEN = os.environ.get("GITHUB_TOKEN")

def ask(server, path=ISSUE, **headers):
    request = urllib.request.Request(server.url + path, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.read()
    except urllib.error.HTTPError as error:
        error.close()
        return b""

def token():
    return os.environ["GITHUB_TOKEN"]
"""


def leaking(body: str, test: str = "client(fake_github)") -> str:
    """A client with this body, and a test that calls it."""
    return f"{CLIENT}\ndef client(server):\n    {body}\n\ndef test_it(fake_github):\n    {test}\n"


def said(result: pytest.RunResult) -> str:
    """The first line of what was found."""
    found = [line for line in result.outlines if "has leaked into" in line]
    return found[0] if found else ""


PLACES = {
    'log.warning("using %s", token())': (
        "GITHUB_TOKEN has leaked into the message of a WARNING by client "
        "(plain, characters 7-25): 'using <GITHUB_TOKEN>'"
    ),
    'log.debug("x", extra={"a": [{"b": (token(),)}]})': (
        "GITHUB_TOKEN has leaked into the field a of a DEBUG by client "
        "(plain, characters 3-21): 'b <GITHUB_TOKEN>'"
    ),
    'log.info("%(a)s", {"a": 1, "b": token()})': (
        "GITHUB_TOKEN has leaked into the arguments of an INFO by client "
    ),
    'log.error("%s %s", token()[:9], token()[9:])': (
        "GITHUB_TOKEN has leaked into the message of an ERROR by client (split, "
    ),
    "print('a', {'b': token()})": (
        "GITHUB_TOKEN has leaked into stdout (plain, characters 10-28): "
        "\"a {'b': '<GITHUB_TOKEN>'}\""
    ),
    "sys.stderr.write(token())": "GITHUB_TOKEN has leaked into stderr ",
    "warnings.warn(token(), FutureWarning)": (
        "GITHUB_TOKEN has leaked into a warning (FutureWarning) "
    ),
    'ask(server, f"{ISSUE}?token={urllib.parse.quote(token())}")': (
        "GITHUB_TOKEN has leaked into the URL of attempt 1 (URL-quoted, "
    ),
    'log.info(base64.b64encode(b"me:" + token().encode()).decode())': (
        "GITHUB_TOKEN has leaked into the message of an INFO by client (base64, "
    ),
    'log.info(json.dumps({"auth": repr(token().encode().hex())}))': (
        "GITHUB_TOKEN has leaked into the message of an INFO by client (hex, "
    ),
}


@pytest.mark.parametrize("body", PLACES)
def test_a_leak_fails_a_test_that_passed(session: Session, body: str) -> None:
    """Wherever the secret comes to light, with its place and encoding, and without its value."""
    result = session(leaking(body), "-W", "ignore", "--show-capture=no")

    result.assert_outcomes(passed=1, errors=1)
    assert said(result).startswith(PLACES[body])
    result.stdout.fnmatch_lines(["if that is meant: @pytest.mark.resilience(leaks=False)"])
    assert TOKEN not in result.stdout.str()
    assert base64.b64encode(TOKEN.encode()).decode() not in result.stdout.str()


STORES = """
from pytest_resilience import Fake

class Parcels(Fake):
    stored_secrets = {stored}

def client(server):
    logging.getLogger("client").info("the code is 9f8e7d6c5b4a")
    get("/", server.url)

@pytest.mark.resilience(unmatched=True)
def test_it(fake_server):
    client(fake_server(Parcels))
"""


@pytest.mark.parametrize(
    ("stored", "line"),
    [
        (
            {"door code": "9f8e7d6c5b4a"},
            "door code has leaked into the message of an INFO by client *: 'the code is <door *",
        ),
        (
            ["9f8e7d6c5b4a"],
            "*stored_secrets=<class 'list'> is not allowed: wanted a mapping: of names to *",
        ),
    ],
)
def test_a_fake_names_its_own_secrets(session: Session, stored: object, line: str) -> None:
    """And what a fake cannot mean by them fails the test, too."""
    result = session("import logging\n" + STORES.format(stored=stored), "--show-capture=no")

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines([line])
    assert "9f8e7d6c5b4a" not in result.stdout.str()


RAISED = {
    "raise ValueError(f'no {token()}')": "the text of ValueError (plain, characters 4-22)",
    "raise KeyError(token().encode())": "the text of KeyError ",
    "raise OSError('no') from ValueError(token())": "the text of ValueError, which led to OSError ",
    "raise ExceptionGroup('no', [ValueError(token())])": "the repr of ExceptionGroup ",
    "error = ValueError('no'); error.add_note(token()); raise error": "a note of ValueError ",
}


@pytest.mark.parametrize("body", RAISED)
def test_an_exception_that_shows_a_secret_is_a_leak(session: Session, body: str) -> None:
    """Its text, its repr, its notes, its causes and its parts."""
    test = "with pytest.raises(Exception):\n        client(fake_github)"
    result = session(leaking(body, test))

    result.assert_outcomes(passed=1, errors=1)
    assert said(result).startswith(f"GITHUB_TOKEN has leaked into {RAISED[body]}")
    assert TOKEN not in result.stdout.str()


CAUGHT = {
    "except": "try:\n        {call}\n    except ValueError as error:\n        assert error.args",
    "bare except": "try:\n        {call}\n    except:\n        pass",
    "suppress": "with contextlib.suppress(ValueError):\n        {call}",
    "except*": "try:\n        {call}\n    except* ValueError:\n        pass",
    "in a loop": (
        "for _ in range(3):\n        try:\n            {call}\n"
        "        except (KeyError, ValueError):\n            continue"
    ),
}


@pytest.mark.parametrize("how", CAUGHT)
def test_what_a_test_catches_by_itself_is_looked_at(session: Session, how: str) -> None:
    """With try and except as with pytest.raises; in the function of the test itself."""
    code = leaking("raise ValueError(f'no {token()}')", CAUGHT[how].format(call="client(0)"))
    result = session("import contextlib\n" + code)

    result.assert_outcomes(passed=1, errors=1)
    where = "the text of ValueError (plain, characters 4-22): 'no <GITHUB_TOKEN>'"
    assert said(result) == f"GITHUB_TOKEN has leaked into {where}"
    assert TOKEN not in result.stdout.str()


def test_coroutines_and_methods_catch_as_well(session: Session) -> None:
    """What an await raises, and what a test of a class catches; with a decorator in between."""
    code = f"""
import asyncio, functools
{CLIENT}
def client():
    raise ValueError(token())

async def aclient():
    await asyncio.sleep(0)
    client()

def decorated(test):
    @functools.wraps(test)
    def run(fake_github):
        asyncio.run(test(fake_github))
    return run

class TestIt:
    def test_method(self, fake_github):
        try:
            client()
        except ValueError:
            pass

@decorated
async def test_coroutine(fake_github):
    try:
        await aclient()
    except ValueError:
        pass
"""
    session(code).assert_outcomes(passed=2, errors=2)


SHOP = """
import asyncio
import os

class ShopError(Exception):
    pass

def fail(before=bool):
    before()
    raise ShopError(f"no {os.environ['GITHUB_TOKEN']}")

async def afail():
    fail()
"""

HELPED = """
import asyncio, contextlib, threading, unittest
from shop import ShopError, afail, fail

def error_of(call, *args):
    try:
        call(*args)
    except Exception as error:
        return error

@contextlib.contextmanager
def refused():
    try:
        yield
    except ShopError:
        pass

def silent():
    with contextlib.suppress(ShopError):
        asyncio.run(afail())

class Base:
    def refused(self):
        try:
            fail()
        except ShopError:
            pass

class TestLeak(Base):
    def test_method(self, fake_github):
        self.refused()

class TestUnit(unittest.TestCase):
    @pytest.fixture(autouse=True)
    def use(self, fake_github):
        pass

    def test_assert_raises(self):
        self.assertRaises(ShopError, fail)

def test_returned(fake_github):
    assert error_of(fail)

def test_context_manager(fake_github):
    with refused():
        fail()

def test_swallowed(fake_github):
    silent()

def test_in_a_thread(fake_github):
    errors = []

    def work():
        try:
            fail()
        except ShopError as error:
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert errors
"""

UNHELPED = """
import shop

class Client:
    def get(self):
        try:
            self.send()
        except ValueError:
            pass

    def send(self):
        raise ValueError(os.environ["GITHUB_TOKEN"])

def called_back():
    try:
        shop.fail()
    except shop.ShopError:
        os.environ["GITHUB_TOKEN"] = "other"

def failing():
    raise ValueError(os.environ["GITHUB_TOKEN"])

def int_of(text):
    try:
        int(text)
    except ValueError:
        pass

def test_a_client_of_this_file(fake_github):
    Client().get()

def test_a_helper_that_the_client_calls(fake_github):
    with pytest.raises(shop.ShopError):
        shop.fail(called_back)

def test_what_the_library_raises(fake_github):
    int_of(os.environ["GITHUB_TOKEN"])
"""


def test_what_a_helper_catches_is_looked_at(session: Session, acme: pytest.Pytester) -> None:
    """If it has come out of the project's own code: a function of the test's file, or in it."""
    acme.makepyfile(shop=SHOP)

    session(HELPED).assert_outcomes(passed=6, errors=6)


def test_what_may_be_the_client_catching_is_not(session: Session, acme: pytest.Pytester) -> None:
    """In the test's own file, called back by the client, or from the standard library."""
    acme.makepyfile(shop=SHOP)

    session(UNHELPED).assert_outcomes(passed=3)


HARMLESS = {
    "what the client catches itself": leaking(
        "try:\n        raise ValueError(token())\n    except ValueError:\n        pass",
        "try:\n        client(0)\n    except ValueError:\n        pass",
    ),
    "what the test raises and catches": leaking(
        "pass", "try:\n        raise ValueError(token())\n    except ValueError:\n        client(0)"
    ),
    "an exception that cannot be printed": leaking(
        "error = Rude(); error.__notes__ = 5; raise error",
        "try:\n        client(0)\n    except Rude:\n        pass",
    )
    + "class Rude(Exception):\n    def __str__(self):\n        raise KeyError\n",
    "the test's own line": leaking("pass", "print(token()); log.warning(token())"),
    "the test's own exception": leaking(
        "pass", "with pytest.raises(ValueError):\n        raise ValueError(token())"
    ),
    "where it belongs": leaking("ask(server, Authorization='token ' + token())"),
    "output that the test reads": leaking(
        "print(token()); sys.stderr.write(token())",
        "client(fake_github); assert token() in capsys.readouterr().out",
    ).replace("test_it(", "test_it(capsys, "),
    "output to a stream of the test's own": leaking(
        "print(token())",
        "with contextlib.redirect_stdout(io.StringIO()):\n        client(0)",
    ).replace("import base64", "import base64, contextlib, io"),
    "a mask": leaking("log.info('%s...%s', token()[:8], token()[-4:])"),
    "a cause that is hidden": leaking(
        "try:\n        raise ValueError(token())\n"
        "    except ValueError:\n        raise OSError('no') from None",
        "with pytest.raises(OSError):\n        client(fake_github)",
    ),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_correct_code_is_not_accused(session: Session, name: str) -> None:
    """What the test itself shows, requests that carry it, and masks are no leaks."""
    session(HARMLESS[name]).assert_outcomes(passed=1)


REDACTED = """
class Redact(logging.Filter):
    def filter(self, record):
        record.msg = record.getMessage().replace(token(), "***")
        record.args = ()
        return True

class Formatter(logging.Formatter):
    def format(self, record):
        return super().format(record).replace(token(), "***")

@pytest.fixture
def handler(tmp_path):
    handler = logging.FileHandler(tmp_path / "client.log")
    log.addHandler(handler)
    yield handler
    log.removeHandler(handler)
    handler.close()

@pytest.mark.parametrize("level", [logging.DEBUG, logging.WARNING])
def test_filter(fake_github, handler, level):
    handler.addFilter(Redact())
    client(fake_github, level)

@pytest.mark.parametrize("level", [logging.DEBUG, logging.WARNING])
def test_formatter(fake_github, handler, level):
    handler.setFormatter(Formatter("%(levelname)s %(message)s"))
    client(fake_github, level)

@pytest.mark.parametrize("level", [logging.DEBUG, logging.WARNING])
def test_filter_of_the_logger(fake_github, level):
    filter = Redact()
    log.addFilter(filter)
    client(fake_github, level)
    log.removeFilter(filter)

@pytest.mark.parametrize("level", [logging.DEBUG, logging.WARNING])
def test_nothing(fake_github, handler, level):
    client(fake_github, level)
"""


def test_a_line_that_a_redactor_puts_right_is_no_leak(session: Session) -> None:
    """By a filter or a formatter, of a handler or a logger, below the level as well."""
    body = "def client(server, level):\n    log.log(level, 'with %s', token())\n"

    result = session(CLIENT + body + REDACTED)

    result.assert_outcomes(passed=8, errors=2)
    result.stdout.fnmatch_lines(["*ERROR at teardown of test_nothing?10?*"])
    result.stdout.fnmatch_lines(["*ERROR at teardown of test_nothing?30?*"])


QUEUED = """
import logging.handlers, queue

class Formatter(logging.Formatter):
    def format(self, record):
        return super().format(record).replace(token(), "***")

@pytest.mark.parametrize("formatter", [Formatter, logging.Formatter])
def test_queue(fake_github, formatter):
    records = queue.Queue()
    entrance, exit = logging.handlers.QueueHandler(records), logging.StreamHandler()
    entrance.setFormatter(logging.Formatter("queued: %(message)s"))
    exit.setFormatter(formatter("%(levelname)s %(message)s"))
    listener = logging.handlers.QueueListener(records, exit)
    log.addHandler(entrance)
    listener.start()
    client(fake_github, logging.WARNING)
    listener.stop()
    log.removeHandler(entrance)
"""


def test_a_redactor_may_stand_behind_a_queue(session: Session) -> None:
    """What a queue handler passes on is read by nobody but the handlers behind it."""
    body = "def client(server, level):\n    log.log(level, 'with %s', token())\n"

    result = session(CLIENT + body + QUEUED)

    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["*ERROR at teardown of test_queue?Formatter1?*"])


PROCESSED = """
import io
import structlog

def redact(logger, method, event):
    return {name: "***" if value == token() else value for name, value in event.items()}

def same(logger, method, event):
    return event

def of_structlog(processor, level):
    def drop(logger, method, event):
        if level > logging.WARNING:
            raise structlog.DropEvent
        return event

    structlog.configure([drop, processor, structlog.processors.JSONRenderer()])

def filtering(processor, level):
    structlog.configure(
        [processor, structlog.processors.JSONRenderer(serializer=lambda *a, **k: str(a).encode())],
        structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.BytesLoggerFactory(io.BytesIO()),
    )

def by_level(processor, level):
    end = structlog.stdlib.render_to_log_kwargs
    on_logging([structlog.stdlib.filter_by_level, processor, end], level, logging.Formatter())

def rendered(processor, level):
    end = structlog.processors.JSONRenderer()
    on_logging([structlog.stdlib.filter_by_level, processor, end], level, logging.Formatter())

def in_formatter(processor, level):
    chain = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, processor]
    chain.append(structlog.processors.JSONRenderer())
    formatter = structlog.stdlib.ProcessorFormatter(processors=chain)
    on_logging([structlog.stdlib.ProcessorFormatter.wrap_for_formatter], level, formatter)

def before_formatter(processor, level):
    end = structlog.stdlib.ProcessorFormatter.wrap_for_formatter
    chain = [structlog.stdlib.filter_by_level, processor, end]
    on_logging(chain, level, logging.Formatter())

def by_filter(processor, level):
    in_formatter(processor, logging.DEBUG)
    log.addFilter(lambda record: record.levelno >= level)

def on_logging(processors, level, formatter):
    structlog.configure(
        processors,
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    log.addHandler(handler)
    log.setLevel(level)

@pytest.fixture(autouse=True)
def as_before():
    yield
    structlog.reset_defaults()
    log.filters.clear()
    log.handlers.clear()
    log.setLevel(logging.NOTSET)

@pytest.mark.parametrize("level", [logging.WARNING, logging.ERROR])
@pytest.mark.parametrize("processor", [redact, same])
@pytest.mark.parametrize(
    "configure",
    [of_structlog, filtering, by_level, rendered, before_formatter, in_formatter, by_filter],
)
def test_it(fake_github, configure, processor, level):
    configure(processor, level)
    client()
"""


def test_a_processor_puts_right_what_is_dropped_as_well(session: Session) -> None:
    """By whatever drops it: structlog, the logger that it wraps, or a filter there."""
    body = "def client():\n    structlog.get_logger('client').warning('asks', key=token())\n"

    result = session(CLIENT + body + PROCESSED)

    result.assert_outcomes(passed=28, errors=13)
    assert "redact" not in result.stdout.str()
    assert "by_filter" in result.stdout.str()


@pytest.mark.parametrize("how", ["marker", "ini", "option"])
def test_it_can_be_switched_off(session: Session, acme: pytest.Pytester, how: str) -> None:
    """For a test, for all tests, or for one run."""
    code = leaking('log.warning("using %s", token())')
    if how == "marker":
        code = code.replace("def test_it", "@pytest.mark.resilience(leaks=False)\ndef test_it")
    if how == "ini":
        acme.makeini("[pytest]\nresilience_leaks = no\n")

    arguments = ["--resilience-leaks=no"] if how == "option" else []
    session(code, *arguments).assert_outcomes(passed=1)


def test_nothing_is_loaded_where_it_is_off(session: Session) -> None:
    """Neither the taps nor the search."""
    code = """
    import sys

    @pytest.mark.resilience(leaks=False)
    def test_it(fake_github):
        assert "pytest_resilience.logs._hub" not in sys.modules
        assert "pytest_resilience.secrets.search" not in sys.modules
    """
    session(code, apart=True).assert_outcomes(passed=1)


def test_the_user_names_his_own_secrets(session: Session) -> None:
    """By argument, by method, as a canary: whatever they look like."""
    code = f"""{CLIENT}
def test_argument(fake_server):
    server = fake_server(secrets={{"the password": "openSesame"}})
    client("openSesame")

def test_method(fake_server):
    client(fake_server().secret("plainword", label="a word"))

def test_canary(fake_server):
    client(fake_server().canary("the canary")[7:30])

def test_too_short(fake_server):
    with pytest.raises(Exception, match="'pin' is too short: wanted are at least 4 characters"):
        fake_server().secret("123", "pin")

def client(value):
    log.info("it is %s.", value)
"""
    result = session(code)

    result.assert_outcomes(passed=4, errors=3)
    result.stdout.fnmatch_lines(
        [
            "the password has leaked into the message of an INFO *: 'it is <the password>.'",
            "a word has leaked into *",
            "a part of the canary has leaked into *",
        ]
    )


def test_credentials_are_known_by_requests_and_answers(session: Session) -> None:
    """Of a server that knows nothing of secrets: headers, bodies and answers tell."""
    code = f"""{CLIENT}
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps({{"a": [{{"access_token": "t0ken-0f-answer"}}], "id": "r4nd0m"}}).encode()]

def post(server, data):
    urllib.request.urlopen(server.url, data.encode(), timeout=5).close()

def client(value):
    log.info("it is %s.", value)

def basic(text):
    return "Basic " + base64.b64encode(text.encode()).decode()

@pytest.mark.parametrize("value", ["t0ken-0f-answer", "b34rer", "pr0xy-1", "p4ssword", "s3cret+1",
    "ap1key", "n0scheme"])
def test_leak(fake_server, value):
    server = fake_server(app)
    ask(server, Authorization="Bearer b34rer", X_Other="harml3ss")
    ask(server, Authorization=basic("user:p4ssword"), **{{"Proxy-Authorization": "n0scheme"}})
    ask(server, **{{"X-Api-Key": "ap1key", "Proxy-Authorization": "Bearer pr0xy-1"}})
    post(server, '{{"login": {{"password": "s3cret+1"}}}}')
    client(value)

@pytest.mark.parametrize("value", ["harml3ss", "r4nd0m", "us3r:1", "s1gnature"])
def test_no_leak(fake_server, value):
    server = fake_server(app)
    ask(server, Authorization=basic("us3r:1:x"), X_Other="harml3ss")
    ask(server, Authorization="Basic no base64")
    ask(server, Authorization="Digest response=s1gnature")
    post(server, "not=a\\nform")
    post(server, '{{"broken')
    client(value)

def test_form(fake_server):
    server = fake_server(app)
    post(server, "grant_type=password&password=f0rm%2Bs3cret")
    client("f0rm+s3cret")
"""
    result = session(code)

    result.assert_outcomes(passed=12, errors=8)


def test_what_a_vault_stores_is_secret(session: Session) -> None:
    """By what it is called, or by its looks; hosts, users and words are none."""
    code = f"""{CLIENT}
def client(value):
    log.info("it is %s.", value)

DATA = {{"password": "s3cr3t", "host": "db-1.example.com", "user": "app-user-7",
    "url": "postgres://me:pg-p4ss@db-1.example.com/app", "list": [{{"token": "t0k3n-x"}}],
    "blob": "kX9vRt2LpQ7ZsBn4Wc8Yd1", "client_id": "kX9vRt2LpQ7ZsBn4Wc8Yd2", "n": 5,
    "bad": "http://[x", "word": "production"}}

@pytest.mark.parametrize("value", ["s3cr3t", "pg-p4ss", "t0k3n-x", "kX9vRt2LpQ7ZsBn4Wc8Yd1"])
def test_leak(fake_vault, value):
    fake_vault.put("secret/app", DATA)
    client(value)

@pytest.mark.parametrize("value", ["db-1.example.com", "app-user-7", "postgres", "production",
    "kX9vRt2LpQ7", "secret/app"])
def test_no_leak(fake_vault, value):
    fake_vault.put("secret/app", DATA)
    client(value)

def test_old(fake_vault):
    token = fake_vault.root_token
    fake_vault.start_over()
    client(token)
"""
    result = session(code)

    result.assert_outcomes(passed=11, errors=5)


def test_log_files_that_a_client_opens_itself_are_searched(session: Session) -> None:
    """Wherever they are and by what it opens them; not what the test writes, or is no log."""
    code = f"""{CLIENT}
import codecs, shutil, tempfile
from pathlib import Path

def client(name):
    with open(name, "a") as file:
        file.write(f"using {{token()}}\\n")

def by_library(name):
    Path(name).write_text(token())

def test_leak(fake_github):
    client("client.log")

def test_by_library(fake_github):
    by_library("client.log")

def test_a_file_that_stays_open(fake_github, virtual_clock):
    import time
    with open("client.log", "w") as file:
        for text in ("one", "two"):
            print(token(), file=file)
            time.sleep(1)

def test_by_hand(fake_github):
    with open("mine.log", "w") as file:
        file.write(token())
    client("state.json")

def test_by_a_logger(fake_github):
    loguru = {{"__name__": "loguru._file_sink"}}
    exec("def add(): return open('sink.log', 'w')", loguru)
    with loguru["add"]() as sink:
        by_logger(sink)

def by_logger(sink):
    sink.write(token())

def test_by_helper(fake_github):
    Path("mine.txt").write_text(token())
    shutil.copy("mine.txt", "mine.log")
    with codecs.open("other.log", "w", "utf-8") as file:
        file.write(token())
    with tempfile.NamedTemporaryFile("w", suffix=".log") as file:
        file.write(token())
"""
    result = session(code)

    result.assert_outcomes(passed=6, errors=3)
    result.stdout.fnmatch_lines(
        [
            "*the file client.log (plain, characters 7-25): 'using <GITHUB_TOKEN>\\n'",
            "*the file client.log (plain, characters 1-19): '<GITHUB_TOKEN>'",
            "*the file sink.log (plain, characters 1-19): '<GITHUB_TOKEN>'",
        ]
    )


def test_names_of_threads_and_files_are_looked_at(session: Session) -> None:
    """A thread that says something has a name; so has a file below tmp_path, whatever is in it."""
    code = f"""{CLIENT}
import threading

def client(name):
    thread = threading.Thread(target=log.info, args=("hello",), name=name)
    thread.start()
    thread.join()

def store(folder, name):
    (folder / "cache").mkdir()
    (folder / "cache" / name).write_text("x")

def test_thread(fake_github):
    client("for " + token())

def test_file(fake_github, tmp_path):
    store(tmp_path, token().replace("/", "%2F") + ".json")

def test_harmless(fake_github, tmp_path):
    client("for me")
    store(tmp_path, "mine.json")
"""
    result = session(code)

    result.assert_outcomes(passed=3, errors=2)
    result.stdout.fnmatch_lines(
        [
            "GITHUB_TOKEN has leaked into the name of a thread (plain, *",
            "GITHUB_TOKEN has leaked into the name of a file (URL-quoted, *",
        ]
    )


def test_log_files_are_read(session: Session) -> None:
    """Those below tmp_path that are logs by their name; other files may hold secrets."""
    code = f"""{CLIENT}
def client(folder, name):
    (folder / "logs").mkdir()
    (folder / "logs" / name).write_text("token " + token())

@pytest.mark.parametrize("name", ["app.log", "app.log.1", "run.jsonl", ".env", "token"])
def test_it(fake_github, tmp_path, name):
    client(tmp_path, name)
"""
    result = session(code)

    result.assert_outcomes(passed=5, errors=3)
    assert said(result) == (
        "GITHUB_TOKEN has leaked into the file app.log (plain, characters 7-25): "
        "'token <GITHUB_TOKEN>'"
    )


def test_a_failed_test_tells_of_its_leaks(session: Session) -> None:
    """Beside its own failure, which stays the failure."""
    result = session(leaking('log.warning("using %s", token())', "client(fake_github); assert 0"))

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*- resilience (call) -*", "GITHUB_TOKEN has leaked into *"])


def test_a_failed_test_is_not_looked_at_where_it_is_off(session: Session) -> None:
    """It fails by itself alone."""
    result = session(leaking("raise ValueError(token())"), "--resilience-leaks=no")

    result.assert_outcomes(failed=1)
    result.stdout.no_fnmatch_line("*has leaked into*")


def test_a_shared_fake_is_watched_for_each_test(session: Session) -> None:
    """Only the test that leaks fails."""
    code = f"""{CLIENT}
def client():
    log.warning("%s", os.environ["VAULT_TOKEN"])

def test_before(fake_vault_session):
    pass

def test_leak(fake_vault_session):
    client()

def test_after(fake_vault_session):
    pass
"""
    result = session(code)

    result.assert_outcomes(passed=3, errors=1)
    result.stdout.fnmatch_lines(["*ERROR at teardown of test_leak*"])


def test_structlog_is_heard(session: Session) -> None:
    """Values at any depth, unless its processors take them out."""
    code = f"""{CLIENT}
import structlog

def client(clean):
    def redact(logger, name, event):
        return {{**event, "a": "***"}} if clean else event

    structlog.configure([redact, structlog.processors.JSONRenderer()])
    structlog.get_logger().info("event", a={{"b": [token()]}})
    structlog.reset_defaults()

def test_leak(fake_github):
    client(clean=False)

def test_clean(fake_github):
    client(clean=True)
"""
    result = session(code)

    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["*ERROR at teardown of test_leak*"])
    assert "the field a of an INFO" in said(result) or "the rendering of an INFO" in said(result)


def test_what_a_conftest_says_is_the_authors(session: Session) -> None:
    """Fixtures there are no clients."""
    conftest = """
    @pytest.fixture
    def talks(fake_github):
        print(os.environ["GITHUB_TOKEN"])
    """
    session("def test_it(talks):\n    pass\n", conftest=conftest).assert_outcomes(passed=1)


def test_classes_and_generated_tests_are_tests_as_well(session: Session) -> None:
    """What their own lines say is theirs."""
    code = f"""{CLIENT}
import functools

def wrapped(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)
    return wrapper

class TestIt:
    def test_method(self, fake_github):
        print(token())

    @wrapped
    def test_wrapped(self, fake_github):
        print(token())
"""
    session(code).assert_outcomes(passed=2)


def test_what_sets_a_test_up_is_the_authors(session: Session) -> None:
    """As pytest calls it and as unittest does, in classes above as well."""
    code = f"""{CLIENT}
import unittest
import pytest

VALUE = "openSesame99x"

def setup_module():
    print(VALUE)

def teardown_function():
    log.info(VALUE)

class Base:
    def setup_method(self):
        print(VALUE)

class TestIt(Base):
    @classmethod
    def setup_class(cls):
        log.warning(VALUE)

    def test_it(self, fake_server):
        fake_server(secrets={{"it": VALUE}})

class TestUnit(unittest.TestCase):
    @pytest.fixture(autouse=True)
    def server(self, fake_server):
        fake_server(secrets={{"it": VALUE}})

    def setUp(self):
        print(VALUE)

    def test_it(self):
        pass

def test_it(fake_server):
    fake_server(secrets={{"it": VALUE}})
"""
    session(code).assert_outcomes(passed=3)


OTHERS = f"""{CLIENT}
import json, pprint, subprocess

def shout(child=None):
    if child:
        subprocess.run([sys.executable, "-c", "import sys; print('tok', sys.argv[1])", token()])
    else:
        os.write(2, token().encode())

def test_descriptor(fake_github):
    shout()

def test_child(fake_github):
    print("o")  # Which is in the token, too.
    print("the author:", token())
    shout(child=True)

def test_author(fake_github):
    print("the author:", token())
    print("more", file=sys.stderr)
    os.write(1, b"on the same line: ")
    print(token())

def test_reader(fake_github, capfd):
    shout(child=True)
"""


def test_what_other_processes_print_is_heard(session: Session) -> None:
    """As far as pytest has captured it, and without what the test itself has printed."""
    result = session(OTHERS)

    result.assert_outcomes(passed=4, errors=2)
    result.stdout.fnmatch_lines(
        [
            "*ERROR at teardown of test_descriptor*",
            "GITHUB_TOKEN has leaked into stderr (plain, characters 1-19): '<GITHUB_TOKEN>'",
            "*ERROR at teardown of test_child*",
            "GITHUB_TOKEN has leaked into stdout (plain, characters 39-57): *tok <GITHUB_TOKEN>*",
        ]
    )


@pytest.mark.parametrize("reader", ["capsys", "capsysbinary", "capteesys", "capfd", "capfdbinary"])
def test_who_reads_the_output_knows_what_may_stand_there(session: Session, reader: str) -> None:
    """Whichever of pytest's fixtures is used for that; a mock is as good if it keeps it."""
    if reader == "capteesys" and not hasattr(_pytest.capture, reader):
        pytest.skip("pytest has it from 8.4 on")
    result = session(f"""{CLIENT}
from unittest.mock import Mock, patch

def client():
    print("using", token())

def test_it(fake_github, {reader}):
    client()

def test_mock(fake_github):
    with patch("sys.stdout") as out:
        client()
    out.write.assert_any_call(token())

def test_author(fake_github):
    with patch("sys.stdout", Mock(wraps=sys.stdout)) as out:
        print(token())
    out.write.assert_any_call(token())

def test_handed_on(fake_github):
    with patch("sys.stdout", Mock(wraps=sys.stdout)):
        client()
""")

    result.assert_outcomes(passed=4, errors=1)
    result.stdout.fnmatch_lines(["*ERROR at teardown of test_handed_on*"])


RAISED_THROUGH = f"""{CLIENT}
def refuse():
    raise ValueError(f"refused {{token()}}")

def test_client(fake_github):
    refuse()

def test_author(fake_github):
    raise ValueError(f"refused {{token()}}")

def test_by_pytest(fake_github):
    with pytest.raises(pytest.fail.Exception):
        pytest.fail(token())
    assert token() == "x"

def test_skipped(fake_github):
    pytest.skip(token())
"""


def test_an_exception_that_fails_the_test_is_searched(session: Session) -> None:
    """What the test raises itself, or lets pytest raise, is its author's."""
    result = session(RAISED_THROUGH)

    result.assert_outcomes(failed=3, skipped=1)
    assert sum("has leaked into" in line for line in result.outlines) == 1
    assert said(result) == (
        "GITHUB_TOKEN has leaked into the text of ValueError (plain, characters 9-27): "
        "'refused <GITHUB_TOKEN>'"
    )


AUTHORS = f"""{CLIENT}
import json, pprint, traceback

@pytest.fixture
def talks(fake_github):
    print("fixture", token())
    yield
    log.warning("fixture %s", token())

def test_fixture(talks):
    pass

@pytest.fixture
def asked_for(fake_github):
    (lambda: print("fixture", token()))()
    yield
    print("fixture", token())

def test_fixture_by_name(request):
    request.getfixturevalue("asked_for")
    print("test", token())

def test_lambda(fake_github):
    show = lambda: print(token())
    show()
    list(print(token()) for _ in [1])
    [(lambda: print(token()))() for _ in [1]]

def test_passed_on(fake_github):
    json.dump([token()], sys.stdout)
    pprint.pprint({{"a": token()}})
    try:
        raise ValueError(token())
    except ValueError:
        traceback.print_exc()

def test_a_function_of_its_own_may_be_a_client(fake_github):
    def client():
        print(token())
    client()

def test_by_another_library(fake_github):
    rich = {{"__name__": "rich.console"}}
    exec("def show(text): print(text)", rich)
    rich["show"](token())

def test_logger(fake_github):
    client(logging.getLogger(token()))

def client(logger):
    logger.info("hello")
"""


def test_expressions_and_fixtures_are_the_authors(session: Session) -> None:
    """And what a module of the standard library prints for them."""
    result = session(AUTHORS)

    result.assert_outcomes(passed=7, errors=2)
    result.stdout.fnmatch_lines(
        [
            "*ERROR at teardown of test_a_function_of_its_own_may_be_a_client*",
            "*ERROR at teardown of test_logger*",
            "GITHUB_TOKEN has leaked into the name of a logger (plain, characters 1-19): *",
        ]
    )


ASYNC_FIXTURES = f"""{CLIENT}
@pytest.fixture
def anyio_backend():
    return "asyncio"

@pytest.fixture
async def talks(anyio_backend, fake_github):
    log.warning("fixture %s", token())
    yield

class TestIt:
    @pytest.fixture
    async def asked_for(self, fake_github):
        log.warning("fixture %s", token())

    @pytest.mark.anyio
    async def test_method(self, asked_for):
        pass

    def test_by_name(self, anyio_backend, request):
        request.getfixturevalue("asked_for")

@pytest.mark.anyio
async def test_it(talks):
    pass

def client():
    log.warning("using %s", token())

@pytest.fixture
async def calls(anyio_backend, fake_github):
    client()

@pytest.mark.anyio
async def test_client(calls):
    pass
"""


def test_async_fixtures_are_the_authors(session: Session) -> None:
    """While anyio sets one up, it has a function of its own in the place of the fixture's."""
    pytest.importorskip("anyio")

    result = session(ASYNC_FIXTURES, "-p", "anyio", apart=True)

    result.assert_outcomes(passed=4, errors=1)
    result.stdout.fnmatch_lines(["*ERROR at teardown of test_client*"])


STEPS = f"""{CLIENT}
from pytest_bdd.steps import step

@step
def shows(token):
    print(token)
    client()

def client():
    log.warning("hello")

def test_scenario(fake_github):
    shows(token())

def test_of_a_client(fake_github):
    tells(token())

def tells(token):
    print(token)
"""


def test_steps_are_the_authors(session: Session, acme: pytest.Pytester) -> None:
    """What pytest-bdd calls is known by where it registers it; a stand-in of its shape (9.0)."""
    acme.mkpydir("pytest_bdd").joinpath("steps.py").write_text("""
from types import SimpleNamespace

step_function_context_registry = {}

def step(function):
    step_function_context_registry[object()] = SimpleNamespace(step_func=function)
    return function
""")

    result = session(STEPS)

    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["*ERROR at teardown of test_of_a_client*"])


def test_a_record_that_redacts_itself_is_no_leak(session: Session) -> None:
    """It has a way of its own with its arguments."""
    code = f"""{CLIENT}
class Record(logging.LogRecord):
    def getMessage(self):
        return super().getMessage().replace(token(), "***")

@pytest.fixture
def records():
    before = logging.getLogRecordFactory()
    logging.setLogRecordFactory(Record)
    yield
    logging.setLogRecordFactory(before)

def client():
    log.warning("using %s", token())

def test_it(fake_github, records):
    client()
"""
    session(code).assert_outcomes(passed=1)
