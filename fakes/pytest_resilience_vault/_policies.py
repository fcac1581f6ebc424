"""The policies of one namespace, and what they allow whoever has some of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from pytest_resilience_vault._acl import Acl
from pytest_resilience_vault._default_policy import default_policy
from pytest_resilience_vault._entities import Entity
from pytest_resilience_vault._policy import (
    OPENBAOS_TERMS,
    VAULTS_TERMS,
    Policy,
    Terms,
    read_policy,
)
from pytest_resilience_vault._policy_names import RESPONSE_WRAPPING
from pytest_resilience_vault._wrapping import REVOKE_SELF, WRAPPING_POLICY

FOR_EVER = float("inf")


class Denials:
    """Paths that no token but root may touch, in any namespace, whatever its policies."""

    def __init__(self) -> None:
        self.text = ""
        """As a policy says it."""
        self._paths: set[str] = set()

    def add(self, paths: Iterable[str]) -> None:
        """Forbid these."""
        self._paths.update(paths)
        self._write()

    def remove(self, paths: Iterable[str]) -> None:
        """Take that back."""
        self._paths.difference_update(paths)
        self._write()

    def _write(self) -> None:
        stanzas = [f'path "{path}" {{ capabilities = ["deny"] }}' for path in sorted(self._paths)]
        self.text = "\n".join(stanzas)


class Policies:
    """Those that are seen, and those that every Vault has and nobody sees."""

    def __init__(self, time: Callable[[], float], denials: Denials, *, openbao: bool) -> None:
        self._time = time
        self._denials = denials
        self._openbao = openbao
        self.usual_terms = OPENBAOS_TERMS if openbao else VAULTS_TERMS
        """Those of a policy for which nobody asks for others."""
        self._seen: dict[str, Policy] = {}
        self._acls: dict[tuple[str, ...], Acl] = {}
        self._until = FOR_EVER
        self.write("default", default_policy(openbao=openbao))
        text = WRAPPING_POLICY + (REVOKE_SELF if openbao else "")
        self._hidden = {RESPONSE_WRAPPING: self.read(RESPONSE_WRAPPING, text)}

    def __iter__(self) -> Iterator[Policy]:
        """Those that are seen, in the order in which they were written."""
        self._expire()
        return iter(self._seen.values())

    def get(self, name: str) -> Policy | None:
        """The one of this name, seen or not."""
        self._expire()
        return self._seen.get(name) or self._hidden.get(name)

    def write(self, name: str, text: str, terms: Terms | None = None) -> None:
        """Write a policy.

        Raises:
            ValueError: It cannot be read, in Vault's words.
        """
        old = self._seen.get(name)
        number = old.number + 1 if old else 1
        policy = self.read(name, text)
        terms = terms or self.usual_terms
        written = replace(policy, number=number, written=self._time(), terms=terms)
        self._seen[name] = written
        self._until = min(self._until, written.until)
        self.changed()

    def read(self, name: str, text: str) -> Policy:
        """A policy that is not in force; raises what `write` would."""
        return read_policy(name, text, openbao=self._openbao, now=self._time())

    def delete(self, name: str) -> None:
        """Forget a policy; tokens that have it lose what it granted."""
        self._seen.pop(name, None)
        self.changed()

    def unknown(self, names: Iterable[str]) -> list[str]:
        """The warnings about policies that nobody has written."""
        known = {"root", *(policy.name for policy in self)}
        return [f'Policy "{name}" does not exist' for name in names if name not in known]

    def acl(self, names: Sequence[str], entity: Entity | None, *, root: bool) -> Acl:
        """What these allow together, with those that are held by whose they are."""
        self._expire()
        key = (self._denials.text, entity.id if entity else "", *names)
        acl = self._acls.get(key)
        if acl is None:
            known = {**self._hidden, **self._seen}
            wanted = sorted({*names, *(entity.policies if entity else ())})
            held = [known[name] for name in wanted if name in known]
            held.append(self.read("denied", self._denials.text))
            acl = self._acls[key] = Acl(held, root=root, openbao=self._openbao, entity=entity)
        return acl

    def changed(self) -> None:
        """What they allow together is to be found out anew."""
        self._acls.clear()

    def _expire(self) -> None:
        """Forget the policies and the paths in them whose time is over."""
        if self._until == FOR_EVER or self._time() < self._until:
            return
        now = self._time()
        alive = [policy.at(now) for policy in self._seen.values()]
        self._seen = {policy.name: policy for policy in alive if policy}
        self._until = min(policy.until for policy in self._seen.values())
        self.changed()
