"""Where pytest meets the package, together with ``conftest.py``: options, controller, worker."""
