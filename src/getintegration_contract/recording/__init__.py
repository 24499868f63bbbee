"""Recordings: exchanges <-> HAR 1.2, redacted, one by one."""

from getintegration_contract.errors import RecordingError
from getintegration_contract.recording.recorder import (
    CREATOR,
    Recorder,
    Recording,
    discard,
    interrupted,
    merge,
    model_version,
    read,
)

__all__ = [
    "CREATOR",
    "Recorder",
    "Recording",
    "RecordingError",
    "discard",
    "interrupted",
    "merge",
    "model_version",
    "read",
]
