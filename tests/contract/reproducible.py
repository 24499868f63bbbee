"""What Hypothesis needs besides a seed to do the same in every run: outside of its documented interface."""

import hypothesis.internal.conjecture.providers as providers
from hypothesis.internal.constants_ast import Constants


def leave_local_constants_out() -> None:
    """Hypothesis would mix constants of whatever local modules are loaded into its choices."""
    if not hasattr(providers, "_get_local_constants"):
        raise RuntimeError(
            "this version of Hypothesis has no _get_local_constants: its choices are not repeatable"
        )
    none = Constants(integers=set(), floats=set(), bytes=set(), strings=set())
    providers._get_local_constants = lambda: none
