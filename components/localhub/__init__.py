"""An embedded Hub: the Hugging Face Hub's HTTP protocol over bare git repositories on disk.

It serves what `huggingface_hub`, `transformers` and `datasets` ask for when they load, push, search and document: see
`server.create_app`, and `python -m components.localhub --help` to run it. Files live in bare git repositories, large
ones as git-lfs objects inside the repository that holds them. Not covered: Xet storage, buckets, jobs, webhooks,
collections and the pages that people read in a browser.
"""
