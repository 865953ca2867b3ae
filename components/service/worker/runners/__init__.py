"""What runs each task in the worker: one `Runner` a task, or the base class where the library's pipeline says it all.

A task names its runner in its `TaskSpec`, as `module:Class` under this package.
"""
