"""A second server that answers GetIntegration correctly, and unlike the shipped emulator.

Wherever the contract leaves a choice, this one takes the other road: types in the body, nulls for
absent members, whole seconds, chunks, gzip, a gateway in front. It shares no code with the project:
a suite that fails against it has mistaken a habit of the emulator for the contract.

    python tests/meta/second_server [--port N] [--rate N] [--region R] [--no-signatures]
                                    [--exit-with-stdin]
"""
