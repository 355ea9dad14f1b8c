"""Language models for tests: servers that speak as the providers do."""
