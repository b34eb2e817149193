"""How work starts by itself: Dagster sensors, and the listener whose inbox they drain.

A sensor turns rows of the store into run requests and decides nothing else. The listener
(`python -m sensors.listener`) is a process of its own that never imports Dagster, because a
sensor ends after sixty seconds and a connection must not.
"""
