"""What ends a run without a verdict: the environment does not let it go on."""

from __future__ import annotations


class EnvironmentFault(RuntimeError):
    """The environment, not the target, is at fault; the message is one sentence."""


class EndpointDown(EnvironmentFault):
    """The endpoint accepts no connection."""


class BudgetExhausted(EnvironmentFault):
    """The run has sent as many requests as it may."""


class Throttled(EnvironmentFault):
    """The caller is throttled, and went on being so for longer than the run waits."""


class CredentialsError(EnvironmentFault):
    """Credentials that worked do so no more."""
