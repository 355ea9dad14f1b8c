"""What bots asked models and were answered, and what it cost."""
