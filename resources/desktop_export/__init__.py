"""Adapters for what lies in a folder: a Telegram Desktop export, or plain pictures.

``json_stream`` reads JSON of any size, ``reading`` finds chats in it, ``folder`` opens files and
nothing outside, ``pictures`` lists a plain folder, ``media`` gives files to the media pass.
Everything here reads; nothing in the folder is ever written.
"""
