"""Two recordings, or a recording and a live endpoint -> how two endpoints differ. Imports the suite."""
