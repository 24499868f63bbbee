"""The shipped endpoint: GetIntegration of Amazon Connect Customer Profiles, and what it needs.

A real HTTP server, started with ``getintegration-contract emulator`` and useful alone as a mock
server. Its request rules come from the service model that botocore ships and from nothing else in
this project, so that the suite and its endpoint cannot share a mistake.

Every request passes the same checks, in this order, and the first that fails answers it:

1. the message itself: lawful HTTP (400), a head within its limits (408, 431), a body within its
   own (413), no transfer coding but chunked (501);
2. authentication: the signature and all that belongs to it (403);
3. routing: the path (404), then the method (405);
4. access: an identity without permission (403);
5. throttling: the identity's own budget, then its account's (429);
6. the body: readable JSON, of the right types (400 SerializationException);
7. the members: required, length, range, pattern, enum (400 BadRequestException);
8. the state: unknown domain or integration (404), quota or duplicate (400).
"""

#: Of the whole distribution; it stands here since importlib.metadata would take a fifth of the start.
__version__ = "0.1.0"
