"""What ends a run, or a command, without a verdict. The message of each is one sentence for the user.

::

    Failure
    ├── UsageError                an option, a file or the description is wrong: status 4
    │   ├── TargetError           the target, its file or its credentials
    │   ├── WaiverError           a file of waivers
    │   ├── ContractError         the description, or the evidence beside it
    │   ├── ReportError           a report cannot be read or written
    │   └── RecordingError        a recording cannot be read or written
    └── EnvironmentFault          the environment, not the target, is at fault: status 6
        ├── EndpointDown          the endpoint accepts no connection
        ├── StateError            the state that a run needs is missing, or was lost
        ├── CredentialsError      credentials that worked do so no more
        ├── Throttled             the caller is throttled for longer than the run waits
        └── BudgetExhausted       the run has sent as many requests as it may
"""

from __future__ import annotations


class Failure(Exception):
    """The root of the tree."""


class UsageError(Failure):
    """An option, a file or the description is wrong."""


class TargetError(UsageError):
    """A target that cannot be tested as described."""


class WaiverError(UsageError):
    """A waivers file that cannot be used."""


class ContractError(UsageError):
    """The description, or the evidence beside it, cannot be read or does not say what it must."""


class ReportError(UsageError):
    """A report that cannot be read or written."""


class RecordingError(UsageError):
    """A recording that cannot be used."""


class EnvironmentFault(Failure):
    """The environment, not the target, is at fault."""


class EndpointDown(EnvironmentFault):
    """The endpoint accepts no connection."""


class StateError(EnvironmentFault):
    """The state that a run needs is missing, or was lost."""


class CredentialsError(EnvironmentFault):
    """Credentials that worked do so no more."""


class Throttled(EnvironmentFault):
    """The caller is throttled, and went on being so for longer than the run waits."""


class BudgetExhausted(EnvironmentFault):
    """The run has sent as many requests as it may."""
