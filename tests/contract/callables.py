"""What the fixtures of scenarios give, and their parameters, as types."""

from collections.abc import Callable

from getintegration_contract.exchange import Exchange

#: Sends GetIntegration.
Ask = Callable[..., Exchange]
#: GetIntegration of a domain and a Uri, once writes have settled.
Read = Callable[[str, str], Exchange]
#: Makes one text of another.
Change = Callable[[str], str]
