"""Broken servers and lawful ones, made from a correct server by a proxy that changes what passes through.

    python tests/meta/mutants/run.py [--base emulator|second|both] [-k PATTERN] [--quick] [--whole]

Every mutant breaks the contract on purpose and must be caught by one of the clauses it breaks; every lawful
variant makes another of the choices that the contract leaves open and must pass. Neither knows which server
stands behind it, and neither uses the suite's code.
"""
