"""What `labchat doctor` looks at: machine, database, bus, and a server as browsers reach it."""
