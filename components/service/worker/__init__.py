"""The worker process: it opens strangers' files, under a memory limit, and answers the calls of `engine`.

`python -m components.service.worker`, started by the engine, reads calls from its standard input and answers on its
standard output.
"""
