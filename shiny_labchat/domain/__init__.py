"""What a room is and what may happen in it. Pure: no clock, no random numbers, no I/O."""
