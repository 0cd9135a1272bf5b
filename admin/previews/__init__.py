"""Previews of received photos: made by a child process that can reach nothing, never by the process that
asks.

`admin.previews.maker.PreviewMaker` is what the console uses. This file imports nothing, because the child
imports the package too and must start fast and carry no more than it needs.
"""
