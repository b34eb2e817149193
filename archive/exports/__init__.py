"""Exports: what somebody has on a disk becomes messages and media as if Telegram had sent it.

``records`` holds the values and ports, ``messages`` turns one message of a Telegram Desktop
export into the archive's, ``pictures`` does so for a plain folder, ``importing`` is the use case.
Opening files is ``resources.desktop_export``.
"""
