"""What `labchat doctor` looks at: the machine, the database, and a server as browsers reach it."""
