"""What `python -m tests` runs, and how it shows it."""
