"""Reports of a run: a run -> ``document`` -> terminal, JSON, Markdown, HTML, JUnit properties."""
