"""The pure stages of the flow: poll, parse, fetch, extract, dedup, tag, classify. Values in, values out."""
