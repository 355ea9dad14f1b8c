"""What streams are told to do, by the room and their author's name."""

import asyncio
from collections import defaultdict

told: defaultdict[tuple[str, str], asyncio.Queue[str]] = defaultdict(asyncio.Queue)
