"""How two endpoints differ: two recordings of GetIntegration, compared clause by clause."""
