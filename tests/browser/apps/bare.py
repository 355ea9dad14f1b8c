# A page of Shiny with nothing of this package: how long a page takes to come on this machine.

from shiny.express import render, ui

ui.page_opts(title="Bare", lang="en")


@render.text
def said():
    return "here I am"
