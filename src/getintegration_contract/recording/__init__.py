"""Recordings: exchanges <-> HAR 1.2, redacted."""

from getintegration_contract.recording.recorder import Recorder, Recording, Suite, interrupted, read

__all__ = ["Recorder", "Recording", "Suite", "interrupted", "read"]
