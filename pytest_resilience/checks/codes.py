"""Every code a finding can have, and what it means in one sentence. Codes are never renamed."""

from __future__ import annotations

from types import MappingProxyType

__all__ = ["CODES"]

CODES = MappingProxyType(
    {
        # Attempts
        "too-many-attempts": "It tries more often than it claims.",
        "too-few-attempts": "It gives up before it has tried as often as it claims.",
        "wait-after-last-attempt": "It waits once more after the last attempt, for nothing.",
        "nested-retries": "A retry within a retry multiplies the attempts.",
        # Schedule
        "wrong-schedule": "A wait between two attempts is not the one it claims.",
        "constant-backoff": "The waits stay the same where they should grow.",
        "linear-backoff": "The waits grow by a step where they should grow by a factor.",
        "off-by-one-schedule": "The schedule is shifted: it begins one wait too late or too early.",
        "cap-ignored": "A wait is longer than the longest one it claims.",
        "backoff-kept-between-calls": "A call begins with the wait where the last one stopped.",
        "backoff-shared-between-threads": "The failures of one thread lengthen another's waits.",
        # Jitter
        "jitter-missing": "Waits that should be random are always the same, or hardly random.",
        "jitter-out-of-bounds": "A random wait is shorter or longer than its jitter allows.",
        "jitter-not-growing": "Random waits do not grow with the backoff.",
        "jitter-same-in-every-process": "Each new process draws the same random waits.",
        "herd": "Clients that met the same outage come back in step.",
        # Retry-After
        "retry-after-ignored": "It comes back earlier than Retry-After asked for.",
        "retry-after-misread": "It waits for another time than Retry-After says.",
        "retry-after-unbounded": "It waits as long as any server tells it to.",
        "retry-after-crash": "A Retry-After that cannot be read ends the call with a stray error.",
        "retry-after-remembered": "An old Retry-After still sets the waits after later failures.",
        # What is retried
        "client-error-retried": "It repeats a request that the server has refused for good.",
        "not-implemented-retried": "It retries a 501, which no repetition can cure.",
        "programming-error-retried": "It retries its own programming errors.",
        "status-not-retried": "It does not retry a status that it claims to retry.",
        "failure-not-retried": "It does not retry a failure that it claims to retry.",
        # Time
        "no-timeout": "It waits for ever for a server that says nothing.",
        "only-connect-timeout": "Only connecting has a timeout; the answer is waited for for ever.",
        "no-total-timeout": "A server that sends a byte now and then holds it for ever.",
        "wrong-timeout": "An attempt is given up earlier or later than it claims.",
        "deadline-overrun": "A call takes longer than its deadline.",
        "budget-overrun": "All waits of a call together are longer than its budget.",
        "futile-wait": "It begins a wait that cannot end before its deadline.",
        # Errors
        "error-swallowed": "It failed, and the caller is not told.",
        "error-returned": "It returns the body of an error as if it were an answer.",
        "cause-lost": "The exception does not say what went wrong underneath.",
        "unexpected-exception": "The caller gets an exception that it does not expect.",
        "interrupt-swallowed": "Ctrl-C does not end it.",
        "cancellation-swallowed": "Cancelling the task does not end it.",
        # Answers
        "truncated-accepted": "It takes an answer that breaks off for a whole one.",
        "malformed-accepted": "It takes an answer that is not what it should be for a good one.",
        "short-stream-accepted": "It takes a stream that ends early for a complete one.",
        # Requests
        "unsafe-retry": "It repeats a request that may have been carried out already.",
        "body-not-resent": "A retry lacks the body of the first attempt.",
        "new-idempotency-key": "A retry has another idempotency key than the first attempt.",
        # Login
        "stale-token-kept": "It goes on with a token that the server no longer accepts.",
        "login-storm": "It logs in more often than once for each token.",
        "login-on-403": "It logs in again because it is not allowed to do something.",
        "credentials-sent-elsewhere": "It sends its credentials to another origin.",
        # Cache
        "error-cached": "It keeps an error, and gives it to later callers.",
        "cache-without-expiry": "It keeps answers for ever.",
        "cache-ignores-credential": "It gives an answer to a caller with other credentials.",
        # Connections
        "response-not-closed": "It leaves responses open.",
        "pool-exhausted": "Failures use up its connection pool.",
        "connection-leaked": "It leaves connections open when it is done.",
        "stale-connection-not-retried": "A kept connection that the server has closed ends a call.",
        # Async
        "blocking-sleep": "It sleeps in a coroutine and stops the event loop.",
        "blocking-io": "It waits for the network in a coroutine and stops the event loop.",
        "sleep-not-awaited": "A sleep in a coroutine is not awaited, so nothing is waited for.",
        # Breaker
        "breaker-never-opens": "The breaker does not open, however often calls fail.",
        "breaker-never-half-opens": "The breaker does not let anything through again.",
        "breaker-lets-all-through": "A breaker that should probe lets all calls through.",
        "breaker-counts-client-errors": "The caller's own mistakes open the breaker.",
        # Logs
        "retry-not-logged": "A retry is not in the log.",
        "retry-logged-wrong": "The log says something else of a retry than what happened.",
        "noise-without-retry": "A call that needed no retry is logged as if it had.",
        "error-logged-on-success": "A call that succeeded is logged as an error.",
        "failure-not-logged": "A call that failed is not logged as an error, or more than once.",
        "forged-line": "A server's text makes a second line in the log.",
        "line-too-long": "A server's text makes a line of any length in the log.",
        "bad-json-line": "A line of a JSON log is no JSON, or lacks a key.",
        # Secrets
        "secret-leaked": "A secret is shown where it must not be.",
        # The call itself
        "server-never-reached": "The call never asks the server, so nothing can be judged.",
        "call-never-returned": "The call does not come back.",
        "process-ended": "The call ends the whole process.",
        "thread-raised": "A thread of the call dies with an exception that nobody sees.",
        "task-raised": "A task of the call dies with an exception that nobody sees.",
        "thread-left-behind": "Each call leaves one more thread behind, which goes on for ever.",
        "task-left-behind": "Each call leaves one more task behind, which goes on for ever.",
    }
)
