"""The product itself, free of frameworks: vocabulary, rules and use cases.

Here live the ids, records and errors everything else speaks in, the pure rules about windows,
faces and people, and the use cases in the order of the data's life: `history`, `media_pass`,
`identify`, `publishing`, and beside them `listening`, `notes` and `erasure`. A use case owns
the small protocols of the ports it needs and receives them as arguments, so that a test, a
command and a Dagster asset run the same code. Nothing here may import Dagster, Telethon, a
database driver, a decoder or an inference engine.
"""
