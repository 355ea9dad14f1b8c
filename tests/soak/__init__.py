"""Whether a server stays as it is while people come and go for a long time."""
