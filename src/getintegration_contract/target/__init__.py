"""What is tested: its address, identities, capabilities, and the violations accepted of it."""
