"""An exchange -> the outcome of each clause. Knows nothing of pytest, sending or targets."""
