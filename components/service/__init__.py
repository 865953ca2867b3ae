"""What the app does, in plain Python: plain values in, plain values out.

The page, the HTTP API, the command line and the training process all call this package. It imports no gradio, and
nothing in it that the web process imports pulls in torch, transformers or datasets: those belong to the worker
(`components.service.worker`) and to the training process (`components.service.runs`).
"""
