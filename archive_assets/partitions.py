"""The one partitions definition: a window of message ids of one chat.

How windows are planned is in ``archive.windows``; who adds their keys are the sensors and
``face-archive``. A key holds nothing that would have to be erased.
"""

import dagster as dg

from sensors.runs import CHAT_WINDOW

chat_window = dg.DynamicPartitionsDefinition(name=CHAT_WINDOW)

# One window a run: a failure stays its own, and live runs get in between.
one_window_a_run = dg.BackfillPolicy.multi_run(1)
