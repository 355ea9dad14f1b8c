"""Gates that handlers of several sessions wait at and open, one for each room."""

import asyncio
from collections import defaultdict

gates: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
