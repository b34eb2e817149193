"""PostgreSQL: the only source of truth.

One repository a group of tables (``chats``, ``history``, ``media`` …), plain SQL with
parameters and typed rows; beside them the pool (``database``), the embedded server
(``embedded``) and the numbered migrations (``migrate``). No rule about people or chats
belongs here: those are in ``archive``.
"""
