"""A room in one Shiny session: admission, messages, reactive reads, bookmarks."""
