"""The archive's Telegram: the only room that knows Telethon.

What comes out are the records of ``archive``, what goes in as well; no Telethon type, error or
client crosses this border. ``client.connect`` opens one lane of one account and hands out its
parts; ``login`` makes the sessions for all lanes. Which lane may run when (one owner of a
session) is decided by whoever calls: the advisory locks live in the store.
"""
