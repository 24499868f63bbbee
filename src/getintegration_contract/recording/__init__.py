"""Recordings: exchanges <-> HAR 1.2, redacted."""

from getintegration_contract.errors import RecordingError
from getintegration_contract.recording.recorder import (
    CREATOR,
    Recorder,
    Recording,
    interrupted,
    model_version,
    read,
)

__all__ = [
    "CREATOR",
    "Recorder",
    "Recording",
    "RecordingError",
    "interrupted",
    "model_version",
    "read",
]
