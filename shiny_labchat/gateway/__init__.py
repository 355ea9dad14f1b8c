"""The websocket between browsers and rooms."""
