"""Parity: two recordings, or a recording and a live endpoint -> how far two endpoints answer alike."""

from getintegration_compare.comparison import Comparison, compare, confirm

__all__ = ["Comparison", "compare", "confirm"]
