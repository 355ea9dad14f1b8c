"""The calls of bots to models: prompts, replies, outcomes and costs."""
