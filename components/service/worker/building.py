"""One model is built at a time in a process: meanwhile transformers changes what all models share.

While it builds or loads one, it puts other functions in the place of how weights are tied and begun with, and sets the
default type of numbers. Two threads that do so in turns leave them so for good: weights that two parts of a model share
would then be random in one of them.
"""

from __future__ import annotations

import threading

#: Held while a model is built from a configuration or its weights are loaded.
BUILDING = threading.RLock()
