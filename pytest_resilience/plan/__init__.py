"""Which attempt meets which fault.

A plan is a list of rules, asked in the order in which they were written. The first rule
that an attempt matches, and that is not used up, decides; an attempt that no rule wants
is answered normally.
"""

from pytest_resilience.faults._check import nearest
from pytest_resilience.plan._plan import FaultLike, Plan
from pytest_resilience.plan._rule import FOREVER, NOTHING, Decision, Rule

__all__ = ["FOREVER", "NOTHING", "Decision", "FaultLike", "Plan", "Rule", "nearest"]
