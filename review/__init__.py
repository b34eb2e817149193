"""The web app and HTTP API: look at people, correct them, search and erase.

It calls the use cases of `archive` through adapters of `resources`, like every entry point, and
holds no rule of its own. It never talks to Telegram or to Dagster's database.
"""
