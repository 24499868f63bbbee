"""What ends a run, or a command, without a verdict. The message of each is one sentence for the user."""


class UsageError(Exception):
    """An option, a file or the description is wrong: status 4."""


class EnvironmentFault(Exception):
    """The environment, not the target, is at fault: status 6."""


class EndpointDown(EnvironmentFault):
    """The endpoint accepts no connection."""


class StateError(EnvironmentFault):
    """The state that a run needs is missing, or was lost."""


class BudgetExhausted(EnvironmentFault):
    """The run has sent as many requests as it may."""
