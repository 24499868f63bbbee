"""What exists on the target: found, or made and removed."""
