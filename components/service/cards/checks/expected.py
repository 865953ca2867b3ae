"""What templates and drafts leave to be filled in."""

from __future__ import annotations

#: Marks a question that only the author can answer; the draft leaves these, publishing should not.
ASK = "**To be answered by the author:**"
#: Stands for the repository's name until it is known.
REPO_PLACEHOLDER = "your-name/your-model"
#: What templates and drafts leave to be filled in.
PLACEHOLDERS = (
    ("[More Information Needed]", "Fill it in, or delete the line."),
    ("More information needed", "Fill it in, or delete the line."),
    (ASK, "Answer the question, or delete it if it does not apply."),
    (REPO_PLACEHOLDER, "Publishing puts the repository's name here; otherwise write it yourself."),
)
