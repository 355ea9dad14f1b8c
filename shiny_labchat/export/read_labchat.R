# Reads an export of shiny_labchat into data frames. It needs R alone, and no packages:
#
#   source("pilot-data/read_labchat.R")
#   data <- read_labchat("pilot-data")
#   data$messages
#
# Ids and texts are character, whatever they look like ("NA", "null", "007", "1e5", "TRUE"): the
# text "NA" is not missing, and an empty text ("") is not either. Times are POSIXct in UTC, and
# flags are logical. Whole numbers that do not fit into R's integers are numeric.

read_labchat <- function(folder) {
  files <- labchat_files(folder)
  if (is.na(files["codebook"])) {
    stop("the export in ", folder, " has no CSV files; export it with the format csv, too")
  }
  codebook <- labchat_fields(file.path(folder, files[["codebook"]]), 6)
  tables <- lapply(setdiff(names(files), "codebook"), function(table) {
    columns <- codebook[codebook$table == table, ]
    fields <- labchat_fields(file.path(folder, files[[table]]), nrow(columns))
    names(fields) <- columns$column
    for (i in seq_len(nrow(columns))) {
      fields[[i]] <- labchat_typed(fields[[i]], columns$type[[i]])
    }
    fields
  })
  names(tables) <- setdiff(names(files), "codebook")
  tables$codebook <- codebook
  tables
}

# The CSV file of each table, by the table's name, as the export's labchat-export.json says.
labchat_files <- function(folder) {
  marker <- file.path(folder, "labchat-export.json")
  if (!file.exists(marker)) {
    stop("there is no export in ", folder, ": it has no labchat-export.json")
  }
  text <- paste(readLines(marker, encoding = "UTF-8", warn = FALSE), collapse = " ")
  format <- as.integer(sub('.*"format": *([0-9]+).*', "\\1", text))
  if (format > 1) stop("this export is of a newer shiny_labchat: use the read_labchat.R in it")
  if (grepl('"excel_safe": *true', text)) {
    message("This export is guarded against formulas: in its CSV files, texts that look like one ",
            "begin with an apostrophe.")
  }
  paths <- character()
  for (format in c("csv", "psych-ds")) { # those of psych-ds are never guarded: they come last
    one <- paste0('"([^"{}]+)": *\\{[^{}]*"', format, '": *"([^"]+)"[^{}]*\\}')
    found <- regmatches(text, gregexpr(one, text))[[1]]
    paths[sub(one, "\\1", found)] <- sub(one, "\\2", found)
  }
  paths
}

# All fields of a CSV file, as text; missing ones are NA. An empty text is quoted and a missing
# value is not, which R does not tell apart: so each quoted field gets an x at its beginning before
# it is read. R also takes a carriage return in a text for the end of a line, so it is written
# otherwise meanwhile.
labchat_fields <- function(path, columns) {
  raw <- readBin(path, "raw", file.size(path))
  if (length(raw) >= 3 && all(raw[1:3] == as.raw(c(0xef, 0xbb, 0xbf)))) raw <- raw[-(1:3)]
  text <- rawToChar(raw)
  has_return <- any(raw == as.raw(13))
  if (has_return) {
    text <- gsub("\001", "\001a", text, fixed = TRUE, useBytes = TRUE)
    text <- gsub("\r", "\001r", text, fixed = TRUE, useBytes = TRUE)
  }
  text <- gsub('"([^"]*+(?:""[^"]*+)*+)"', '"x\\1"', text, perl = TRUE, useBytes = TRUE)
  marked <- tempfile()
  on.exit(unlink(marked))
  writeBin(charToRaw(text), marked)
  fields <- scan(
    marked, what = "", sep = ",", quote = "\"", na.strings = character(0), quiet = TRUE,
    blank.lines.skip = FALSE, comment.char = "", strip.white = FALSE, encoding = "UTF-8"
  )
  Encoding(fields) <- "UTF-8"
  is_quoted <- startsWith(fields, "x")
  fields[fields == ""] <- NA
  fields[is_quoted] <- substring(fields[is_quoted], 2)
  if (has_return) {
    fields <- gsub("\001r", "\r", fields, fixed = TRUE)
    fields <- gsub("\001a", "\001", fields, fixed = TRUE)
  }
  cells <- matrix(fields, ncol = columns, byrow = TRUE)
  head <- cells[1, ]
  cells <- cells[-1, , drop = FALSE]
  frame <- lapply(seq_len(columns), function(i) cells[, i])
  names(frame) <- head
  attr(frame, "row.names") <- seq_len(nrow(cells))
  class(frame) <- "data.frame"
  frame
}

# A column of texts as the type that the codebook says.
labchat_typed <- function(values, type) {
  if (type == "boolean") return(values == "true")
  if (type == "time") {
    return(as.POSIXct(strptime(values, "%Y-%m-%dT%H:%M:%OSZ", tz = "UTC")))
  }
  if (type == "number") return(as.numeric(values))
  if (type == "integer") {
    numbers <- as.numeric(values)
    if (all(is.na(numbers) | abs(numbers) <= .Machine$integer.max)) return(as.integer(numbers))
    return(numbers)
  }
  values
}
