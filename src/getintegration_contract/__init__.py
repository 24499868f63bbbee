"""A contract-testing suite for GetIntegration of Amazon Connect Customer Profiles."""

__version__ = "0.1.0"
