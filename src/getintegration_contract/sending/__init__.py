"""A request -> an exchange: signing, the wire, faults, and the budget of requests."""
