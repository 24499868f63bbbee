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


class Failure(Exception): ...


class UsageError(Failure): ...


class TargetError(UsageError): ...


class WaiverError(UsageError): ...


class ContractError(UsageError): ...


class ReportError(UsageError): ...


class RecordingError(UsageError): ...


class EnvironmentFault(Failure): ...


class EndpointDown(EnvironmentFault): ...


class StateError(EnvironmentFault): ...


class CredentialsError(EnvironmentFault): ...


class Throttled(EnvironmentFault): ...


class BudgetExhausted(EnvironmentFault): ...
