# Who has talked how much: a table made of what the app's button downloads, once it is unpacked.
#
#     python take_home.py discussion
#
# It works with polars or pandas, whichever is installed.

import sys

import narwhals as nw

from shiny_labchat.export import read

data = read(sys.argv[1], check=True)  # whether it is as it was exported, too
messages = nw.from_native(data.messages)
table = (
    messages.filter(nw.col("kind_true") != "programme")
    .group_by("room", "pseudonym")
    .agg(
        messages=nw.len(),
        words=nw.col("words").sum(),
        words_each=nw.col("words").mean().round(1),
    )
    .sort("room", "pseudonym")
)
print(table.to_native())
