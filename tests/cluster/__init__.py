"""Several workers on one database, some of which are killed: ``python -m tests.cluster``."""
