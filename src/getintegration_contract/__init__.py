"""A contract-testing suite for GetIntegration of Amazon Connect Customer Profiles."""
