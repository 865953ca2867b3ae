"""What the web process writes to its log: no token, wherever one comes from."""

from __future__ import annotations

import logging
import re
from typing import Any

#: A token of the Hub, and whatever a request is authorized with.
_SECRET = re.compile(r"hf_[A-Za-z0-9]{8,}|(?<=Bearer )\S+")


def keep_tokens_out_of_logs() -> None:
    """From now on every record of every logger has `[token]` where its message, or what was raised, had a token."""
    make, render = logging.getLogRecordFactory(), logging.Formatter().formatException

    def made(*arguments: Any, **more: Any) -> logging.LogRecord:
        record = make(*arguments, **more)
        try:
            message = record.getMessage()
        except (TypeError, ValueError):  # logging would write the arguments out, to say that they do not fit
            message, record.args = f"{record.msg} (with arguments that do not fit)", None
        if _SECRET.search(message) or not record.args:
            record.msg, record.args = _SECRET.sub("[token]", message), None
        if record.exc_info and record.exc_info[0] is not None:
            # What stands here already is what every handler's formatter writes.
            record.exc_text = _SECRET.sub("[token]", render(record.exc_info))
        return record

    logging.setLogRecordFactory(made)
