# The same, with Shiny's part of bookmarks kept on the server.

from kept import on_server

app = on_server
