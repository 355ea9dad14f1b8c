"""The documentation site: how it is built."""
